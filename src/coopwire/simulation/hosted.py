"""The page of a simulated gateway on which a customer pays, and the way back from it."""

from __future__ import annotations

import html
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from coopwire.simulation.exchange import REFUSED, Answer, html_answer, redirect_answer


def page(price: str, reference: str, outcomes: Mapping[str, str]) -> Answer:
    """What the customer sees, with a button for each thing to do: the word for its outcome → what it says."""
    buttons = "".join(
        f'<button name="outcome" value="{outcome}">{label}</button> ' for outcome, label in outcomes.items()
    )
    return html_answer(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Simulated checkout</title></head>'
        f"<body><h1>Pay {html.escape(price)}</h1><p>Reference {html.escape(reference)}</p>"
        f'<form method="post">{buttons}</form></body></html>'
    )


def no_page() -> Answer:
    """What a customer sees whose page was never opened."""
    return html_answer("<h1>This page does not exist</h1>", status=404, outcome=REFUSED)


def after(outcome: str, address: str, query: Mapping[str, object]) -> Answer:
    """Sends the browser to `address` with `query` added; where the caller gave none, the outcome is shown."""
    if not address:
        return html_answer(f"<h1>Payment {html.escape(outcome)}</h1>")
    mark = "&" if urlsplit(address).query else "?"
    return redirect_answer(f"{address}{mark}{urlencode(query)}", status=303)
