"""The prices that `catalog` shows, one way for each release. Which one runs is a setting of the release."""

# Percent off by a product's tier: the hundred of its rank among the featured ones.
CAMPAIGN_PERCENT = {tier: 5 + tier for tier in range(12)}
RANKS_A_TIER = 100


def list_price(price_jpy: int, featured_rank: int) -> int:
    return price_jpy


def campaign_price(price_jpy: int, featured_rank: int) -> int:
    """Takes the campaign's discount off."""
    percent = CAMPAIGN_PERCENT[featured_rank // RANKS_A_TIER]
    return price_jpy - price_jpy * percent // 100


PRICES = {"list": list_price, "campaign": campaign_price}
