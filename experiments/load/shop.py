"""An ordinary locustfile for the embedded shop: it runs by plain `locust`, and unchanged in an experiment, in either model.

In an experiment: ``load: {locustfile: load/shop.py, target: "${base_url}", rate: 100/s, tags: [read]}``, or ``users: 50`` for the rate.
"""

from __future__ import annotations

from typing import Any

from locust import FastHttpUser, constant_pacing, events, tag, task


@events.init_command_line_parser.add_listener
def add_arguments(parser: Any) -> None:
    """Let an experiment say what is bought: ``args: [--sku, B2]``."""
    parser.add_argument("--sku", default="A1", help="what every checkout buys")


class Customer(FastHttpUser):
    """Looks often and buys sometimes, once a second at most."""

    wait_time = constant_pacing(1)

    @tag("read")
    @task(3)
    def browse(self) -> None:
        """Look at the products."""
        self.client.get("/products", name="browse")

    @tag("write")
    @task(1)
    def checkout(self) -> None:
        """Buy one thing; an answer without an order is a failure whatever its status."""
        sku = self.environment.parsed_options.sku
        with self.client.post("/checkout", json={"sku": sku}, name="checkout", catch_response=True) as answer:
            if answer.status_code and answer.ok and "order" not in (answer.text or ""):
                answer.failure("no order")
