-- The tables of the shop with made-up content.
CREATE TABLE product (
    sku text PRIMARY KEY,
    name text NOT NULL,
    price_jpy integer NOT NULL,
    featured_rank integer NOT NULL
);
CREATE INDEX product_featured ON product (featured_rank);

CREATE TABLE stock (
    sku text PRIMARY KEY REFERENCES product,
    quantity integer NOT NULL
);

CREATE SEQUENCE invoice_number START 40001;

CREATE TABLE invoice_counter (
    series text PRIMARY KEY,
    last_number bigint NOT NULL
);

CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer integer NOT NULL,
    sku text NOT NULL REFERENCES product,
    amount_jpy integer NOT NULL,
    invoice bigint NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_customer ON orders (customer, id DESC);

INSERT INTO product
SELECT 'SKU-' || lpad(n::text, 5, '0'), 'Product ' || n, 300 + (n * 7919) % 20000, (n * 104729) % 2000
FROM generate_series(1, 2000) AS n;
INSERT INTO stock SELECT sku, 100000 FROM product;
-- Far above the sequence, so that numbers of both kinds never meet.
INSERT INTO invoice_counter VALUES ('main', 1000000);
INSERT INTO orders (customer, sku, amount_jpy, invoice, placed_at)
SELECT 1 + (n * 31) % 5000, 'SKU-' || lpad((1 + (n * 17) % 2000)::text, 5, '0'), 1000 + n % 9000, n, now() - n * interval '1 minute'
FROM generate_series(1, 40000) AS n;

GRANT SELECT ON product, stock TO catalog;
GRANT SELECT ON product TO orders;
GRANT SELECT, INSERT ON orders TO orders;
GRANT SELECT, UPDATE ON stock, invoice_counter TO orders;
GRANT USAGE ON SEQUENCE invoice_number TO orders;
ANALYZE;
