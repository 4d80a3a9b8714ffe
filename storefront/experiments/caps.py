"""Where revenue is cut: declared from what shoppers bought before the start, the same at every look."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from storefront.experiments.metrics import METRICS
from storefront.models.experiments import Experiment

# So many buyers at least: a quantile of fewer says nothing of the tail.
FEWEST = 100
_QUANTILE = """
SELECT count(*), percentile_cont(%s) WITHIN GROUP (ORDER BY total) FROM (
    SELECT sum(value) AS total FROM storefront_event
    WHERE kind = 'purchase' AND NOT is_bot AND at >= %s AND at < %s AND currency = %s AND value > 0
    GROUP BY coalesce(nullif(shopper, ''), session)
) AS buyers
"""


def cap_for(experiment: Experiment) -> float | None:
    """Return the revenue above which a unit's is cut, in the experiment's currency; None where nothing is to be cut.

    The quantile `tail` of what buyers spent within as long a time as the window, just before now. Of buyers alone: most
    shoppers buy nothing, and a quantile of all would cut nearly everything to nothing (`stats.cuped.cap_of`).
    """
    names = {experiment.primary, *experiment.secondary, *experiment.guardrails}
    if not any(METRICS[name].above == "revenue" for name in names) or experiment.tail >= 1:
        return None
    now = timezone.now()
    with connection.cursor() as sql:
        sql.execute(_QUANTILE, [experiment.tail, now - experiment.window, now, experiment.currency])
        n, found = sql.fetchone()
    return float(found) if n >= FEWEST else None
