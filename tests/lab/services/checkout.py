"""The checkout transactions of `orders`, one for each way it was ever released. Which one runs is a setting of the release.

Not a place for faults that a developer would not write: each is a plausible implementation.
"""

import random
import time

from lab.services.database import Database, Transaction
from lab.services.tracing import Span

TAKE_STOCK = "UPDATE stock SET quantity = quantity - 1 WHERE sku = %s AND quantity > 0 RETURNING quantity"
INSERT_ORDER = "INSERT INTO orders (customer, sku, amount_jpy, invoice) VALUES (%s, %s, %s, %s) RETURNING id"
NEXT_INVOICE = "SELECT nextval('invoice_number')"
LOCK_INVOICE = "SELECT last_number FROM invoice_counter WHERE series = 'main' FOR UPDATE"
SAVE_INVOICE = "UPDATE invoice_counter SET last_number = %s WHERE series = 'main'"

# How long the renderer of invoices takes. A pause stands for it: it is another machine's work.
RENDER_SECONDS = (0.170, 0.250)


class OutOfStock(Exception):
    """The product sold out; the caller's problem, not a fault."""


def sequence_invoice(database: Database, span: Span, order: dict) -> int:
    """Takes the invoice number from a sequence: no row is shared between checkouts of different products."""
    with database.transaction(span) as transaction:
        _take_stock(transaction, order)
        invoice = transaction.run("SELECT invoice_number", NEXT_INVOICE)[0][0]
        return _insert(transaction, order, invoice)


def gapless_invoice(database: Database, span: Span, order: dict) -> int:
    """Numbers invoices without gaps, under a lock on the one counter row, and renders the invoice while holding it."""
    with database.transaction(span) as transaction:
        last = transaction.run("SELECT invoice_counter FOR UPDATE", LOCK_INVOICE)[0][0]
        _take_stock(transaction, order)
        order_id = _insert(transaction, order, last + 1)
        with span.child("render invoice"):
            time.sleep(random.uniform(*RENDER_SECONDS))
        transaction.run("UPDATE invoice_counter", SAVE_INVOICE, (last + 1,))
        return order_id


TRANSACTIONS = {"sequence": sequence_invoice, "gapless": gapless_invoice}


def _take_stock(transaction: Transaction, order: dict) -> None:
    if not transaction.run("UPDATE stock", TAKE_STOCK, (order["sku"],)):
        raise OutOfStock


def _insert(transaction: Transaction, order: dict, invoice: int) -> int:
    values = (order["customer"], order["sku"], order["amount_jpy"], invoice)
    return transaction.run("INSERT orders", INSERT_ORDER, values)[0][0]
