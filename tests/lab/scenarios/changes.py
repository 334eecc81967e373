"""Changes that several scenarios make: harmless ones, and a bad release with its rollback."""

from lab.scenarios.base import Remediation
from lab.shop.shop import Release, Shop

ROLES = "arn:aws:sts::111122223333:assumed-role"
OPERATOR = f"{ROLES}/operator/on-call"


def fewer_featured_products(shop: Shop) -> None:
    shop.reconfigure(
        "catalog",
        actor=f"{ROLES}/merchandising/campaign",
        summary="featured products on the home page 24 -> 20",
        featured_products=20,
    )


def shorter_wait_for_connections(shop: Shop) -> None:
    shop.reconfigure("orders", actor=OPERATOR, summary="wait for a connection at most 3 s -> 2.5 s", pool_timeout_s=2.5)


class BadRelease:
    """A release of a service that brings the fault: the healthy one with other settings."""

    def __init__(self, service: str, healthy: Release, version: str, brings: str, **settings):
        self._service = service
        self._healthy = healthy
        self._faulty = Release(version, healthy.with_settings(**settings).settings)
        self._brings = brings

    def inject(self, shop: Shop) -> None:
        service, old, new = self._service, self._healthy.version, self._faulty.version
        actor = f"{ROLES}/ci-deploy/{service}-pipeline"
        shop.deploy(service, self._faulty, actor=actor, summary=f"{service} {old} -> {new}: {self._brings}")

    def rollback(self) -> Remediation:
        service, old, new = self._service, self._healthy.version, self._faulty.version

        def roll_back(shop: Shop) -> None:
            shop.deploy(service, self._healthy, actor=OPERATOR, summary=f"{service} {new} -> {old}: rollback")

        return Remediation(
            resource=service,
            action="rollback",
            document="AWSResilienceHub-ScaleECSServiceSOP_2020-04-01",
            summary=f"{service} rolled back from {new} to {old}",
            apply=roll_back,
        )
