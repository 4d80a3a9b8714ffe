"""Celery entry points of the desk. A message is a hint: what there is to do stands in the tables."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import celeryd_after_setup

from core.hints import hint
from moderation import explaining, scoring, shadow
from moderation.decisions import asking_again, second_reviews, settling
from moderation.drafting import generation, requests, screening
from moderation.judging import chat
from moderation.label_exchange import jobs as label_jobs
from moderation.label_exchange import working as label_work
from moderation.live import retro_scan, rule_proposals
from moderation.policy.base import load_checks
from moderation.queues import daily_lot, handing_out


@celeryd_after_setup.connect
def have_the_checks_ready(sender: Any, instance: Any, **kwargs: Any) -> None:
    """Load the policy checks before the worker forks: the first text that is let out is checked once more,
    and waited for them.
    """
    if "default" in instance.app.amqp.queues.consume_from:
        load_checks()


@shared_task(name="moderation.drain_generation", soft_time_limit=1800, ignore_result=True)
def drain_generation() -> None:
    """Draft one batch of requests, and ask for another turn while there was work."""
    # What a dead worker held comes first, and does not depend on another queue being worked off.
    requests.reap_requests()
    if generation.drain_generation():
        # Screened before the next batch starts: with one model worker, drafts would wait for the whole order otherwise.
        screening.screen_candidates()
        hint("moderation.drain_generation")


@shared_task(name="moderation.screen_candidates", soft_time_limit=600, ignore_result=True)
def screen_candidates() -> None:
    """Screen one batch of drafts."""
    if screening.screen_candidates():
        hint("moderation.screen_candidates")


@shared_task(name="moderation.score", soft_time_limit=600, ignore_result=True)
def score() -> None:
    """Have each champion answer one batch of what came, and ask for another turn while there was any."""
    if scoring.score():
        hint("moderation.score")


@shared_task(name="moderation.score_in_the_shadow", soft_time_limit=600, ignore_result=True)
def score_in_the_shadow() -> None:
    """Have each challenger answer a batch of what the champion of its question answered."""
    shadow.score()


@shared_task(name="moderation.explain", soft_time_limit=120, ignore_result=True)
def explain() -> None:
    """Find the words behind a few suggestions that people are asked about, and ask for another turn while there were
    any.
    """
    if explaining.explain_asked():
        hint("moderation.explain")


@shared_task(name="moderation.ask_judge", soft_time_limit=120, ignore_result=True)
def ask_judge() -> None:
    """Ask the second judge about a few drafts, and ask for another turn while it answers."""
    if chat.ask():
        hint("moderation.ask_judge")


@shared_task(name="moderation.open_reviews", soft_time_limit=120, ignore_result=True)
def open_reviews() -> None:
    """Open human work for one batch of what is ready for it."""
    if settling.open_reviews() >= settling.BATCH:
        hint("moderation.open_reviews")
    asking_again.ask_again_about_edited()
    second_reviews.doubt_labels()
    second_reviews.open_second_reviews()
    second_reviews.keep_gold_ready()
    scoring.open_scorings()


@shared_task(name="moderation.draw_daily_lot", soft_time_limit=300, ignore_result=True)
def draw_daily_lot() -> None:
    """Draw a few of each day's reviews by lot, to be judged by people."""
    daily_lot.draw()


@shared_task(name="moderation.settle_decisions", soft_time_limit=120, ignore_result=True)
def settle_decisions() -> None:
    """Turn what people agreed on into decisions."""
    settling.settle_decisions()


@shared_task(name="moderation.reap_leases", soft_time_limit=120, ignore_result=True)
def reap_leases() -> None:
    """Take back what dead workers and absent reviewers hold."""
    requests.reap_requests()
    handing_out.reap_items()


@shared_task(name="moderation.run_retro_scans", soft_time_limit=600, ignore_result=True)
def run_retro_scans() -> None:
    """Go on with one retro-scan, and ask for another turn while there is one."""
    if retro_scan.run_next():
        hint("moderation.run_retro_scans")


@shared_task(name="moderation.propose_softer_rules", soft_time_limit=300, ignore_result=True)
def propose_softer_rules() -> None:
    """Propose a softer severity for rules that people dismiss too often."""
    rule_proposals.propose()


@shared_task(name="moderation.run_label_jobs", soft_time_limit=6 * 3600, ignore_result=True)
def run_label_jobs() -> None:
    """Import or export one file of labels, and ask for another turn while there is one."""
    if label_work.run_next():
        hint("moderation.run_label_jobs")


@shared_task(name="moderation.forget_label_files", soft_time_limit=300, ignore_result=True)
def forget_label_files() -> None:
    """Delete files of labels that nobody needs any more."""
    label_jobs.forget_files()
