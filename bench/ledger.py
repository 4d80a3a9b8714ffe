"""The ledger: tampering that is found, false alarms under load, verification speed, and what proofs cost bulk approval.

Four parts, each on an embedded PostgreSQL (fsync on) with keys and a second place of its own.

- speed: `audit.verification.verify` with Merkle tree and heads against the loop of before (the ORM and `json` alone).
- approvals: 10,000 approvals, each a transaction with the five lines that the decision path appends for one and a typed
  reason. Hash chain alone against sealing, Merkle tree and signed heads, in turns. It is the append path of a decision
  and not the whole decision, which does much more per approval: the ratio is the least kind one.
- decisions: some hundred real decisions through `moderation.decisions.settling.settle_decisions`, the same two arms in turns.
- tampering: random acts of a superuser on a signed ledger (`tests/audit/tampering.py`); found means that `verify` names
  the first bad line. Then checks while writers run: a check is one verdict, of the incremental check with its
  comparison of both places, of a whole verification, or of a consistency proof between two signed heads.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

import argparse  # noqa: E402
import collections  # noqa: E402
import hashlib  # noqa: E402
import json  # noqa: E402
import multiprocessing  # noqa: E402
import os  # noqa: E402
import random  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
import uuid  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from typing import Any  # noqa: E402

import django  # noqa: E402

from ecomsite.stack.ports import free_port  # noqa: E402
from ecomsite.stack.postgres import Postgres  # noqa: E402

SPEED_MUST, SLOWER_MUST = 100_000, 0.15
REASON = "The claim about the lining is in the facts; the tone is right for this channel."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=200_000, help="lines of the ledger that is verified")
    parser.add_argument("--approvals", type=int, default=10_000)
    parser.add_argument("--decisions", type=int, default=400, help="real decisions in each arm")
    parser.add_argument("--tamperings", type=int, default=1_200)
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--only", nargs="*", default=["speed", "approvals", "decisions", "tampering", "alarms"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecomsite-bench-") as name:
        root = Path(name)
        root.chmod(0o755)
        server = Postgres(root / "postgres", free_port(), settings={"shared_buffers": "512MB"})
        server.start()
        try:
            bars = run(server, root, options)
        finally:
            server.stop()
    for bar in bars:
        print(json.dumps(bar))
    print(json.dumps({"name": "ledger", "pass": all(bar["pass"] for bar in bars)}))


def run(server: Postgres, root: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    server.create_database("ledger")
    os.environ |= {
        "DATABASE_URL": server.url("ledger"),
        "DJANGO_SETTINGS_MODULE": "ecomsite.settings",
        "SECRET_KEY": "x" * 60,
        "ECOMSITE_VAR": str(root / "var"),
        "LOG_LEVEL": "ERROR",
        "CELERY_BROKER_URL": "memory://",
        "LEDGER_ANCHOR_FILE": str(root / "elsewhere" / "anchors.jsonl"),
        "LEDGER_MARK_FILE": str(root / "elsewhere" / "high-water.json"),
    }
    subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "-v", "0"], check=True)
    django.setup()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    parts: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "speed": lambda: speed(options.lines),
        "approvals": lambda: approvals(options.approvals),
        "decisions": lambda: decisions(options.decisions),
        "tampering": lambda: tampering(options.tamperings),
        "alarms": lambda: alarms(options.checks),
    }
    bars = []
    for name, part in parts.items():
        if name in options.only:
            _empty(root)
            bars += part()
    return bars


# --- Speed -------------------------------------------------------------------------------------------------------


def speed(n: int) -> list[dict[str, Any]]:
    from django.db import connection

    from audit import checks
    from audit.models import TreeHead
    from audit.verification import verify

    for start in range(0, n, 1000):
        _append([line for _ in range(200) for line in _approval()][: min(1000, n - start)])
        if start % 20_000 == 0:
            checks.check_new()
    checks.check_new()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE audit_ledgerentry")
    rates: dict[str, list[float]] = {"ours": [], "plain loop": []}
    cpu: dict[str, list[float]] = {"ours": [], "PostgreSQL": []}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    for _ in range(5):
        before, theirs = time.process_time(), _cpu_of(backend)
        rates["ours"].append(_rate(n, lambda: verify().is_intact))
        cpu["ours"].append(n / (time.process_time() - before))
        cpu["PostgreSQL"].append(n / (_cpu_of(backend) - theirs))
        rates["plain loop"].append(_rate(n, _plain_loop))
    print(f"verify {n:,} lines under {TreeHead.objects.count()} heads, lines a second: median (least to most)")
    for arm, values in rates.items():
        print(f"  {arm:12s} {statistics.median(values):9,.0f}  ({min(values):,.0f} to {max(values):,.0f})")
    for whose, values in cpu.items():
        print(f"  lines in a second of CPU time, {whose}: {statistics.median(values):,.0f}")
    ours, plain = statistics.median(rates["ours"]), statistics.median(rates["plain loop"])
    return [
        {
            "name": "ledger: lines verified a second",
            "ours": round(ours),
            "reference": round(plain),
            "ratio": round(ours / plain, 2),
            "must": SPEED_MUST,
            "pass": ours >= SPEED_MUST,
        }
    ]


def _plain_loop() -> bool:
    """The verification of before signed heads: the ORM, `json`, one hash a line."""
    from audit.ledger import GENESIS_HASH, entry_hash
    from audit.models import LedgerEntry

    n, before = 0, GENESIS_HASH
    for entry in LedgerEntry.objects.order_by("seq").iterator(chunk_size=2000):
        found = entry_hash(
            seq=entry.seq,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            payload=entry.payload,
            prev_hash=entry.prev_hash,
        )
        if entry.seq != n + 1 or entry.prev_hash != before or found != entry.entry_hash:
            return False
        n, before = n + 1, entry.entry_hash
    return True


def _cpu_of(pid: int) -> float:
    """Seconds of CPU time that a process of this machine has used (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rate(n: int, work: Callable[[], bool]) -> float:
    started = time.perf_counter()
    assert work()
    return n / (time.perf_counter() - started)


# --- What it costs -----------------------------------------------------------------------------------------------


def _approval(reason: Any = "ok") -> list[Any]:
    """The lines of one approval as `moderation.decisions.deciding.decide` appends them."""
    from audit.ledger import Line

    item, draft, copy = (str(uuid.uuid4()) for _ in range(3))
    return [
        Line("moderation.item.dispatched", f"moderation.reviewitem:{item}", {"from": "waiting"}),
        Line("moderation.candidate.approved", f"moderation.candidate:{draft}", {"from": "in_review"}),
        Line("moderation.candidate.published", f"moderation.candidate:{draft}", {"from": "approved"}),
        Line(
            "moderation.copy.published",
            f"catalog.publishedcopy:{copy}",
            {
                "candidate": f"moderation.candidate:{draft}",
                "replaces": None,
                "channel": "description",
                "locale": "en",
                "text_hash": hashlib.sha256(draft.encode()).hexdigest(),
            },
        ),
        Line(
            "moderation.item.decided",
            f"moderation.reviewitem:{item}",
            {
                "from": "dispatched",
                "outcome": "approve",
                "decision": item,
                "reasons": ["tone"],
                "policy": draft[:16],
                "method": "single",
                "reason": reason,
            },
        ),
    ]


def _append(lines: list[Any]) -> None:
    from django.db import transaction

    from audit import ledger
    from core.actors import SystemActor

    with transaction.atomic():
        ledger.append_many(lines, actor=SystemActor("bench"))


def _as_before(lines: list[Any], *, actor: Any) -> list[Any]:
    """`audit.ledger.append_many` as it was: two queries by the ORM and bulk_create."""
    from django.db import connection
    from django.utils import timezone

    from audit.ledger import CHAIN_LOCK, GENESIS_HASH, entry_hash
    from audit.models import LedgerEntry
    from core.actors import actor_ref

    if not lines:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    last = LedgerEntry.objects.order_by("-seq").values_list("seq", "entry_hash").first()
    seq, prev_hash = last if last else (0, GENESIS_HASH)
    who, now, entries = actor_ref(actor), timezone.now(), []
    for line in lines:
        seq += 1
        values: dict[str, Any] = {
            "seq": seq,
            "at": now,
            "actor": who,
            "action": line.action,
            "subject": line.subject,
            "payload": dict(line.payload),
            "prev_hash": prev_hash,
        }
        prev_hash = entry_hash(**values)
        entries.append(LedgerEntry(**values, entry_hash=prev_hash))
    return LedgerEntry.objects.bulk_create(entries)


def approvals(n: int) -> list[dict[str, Any]]:
    from django.db import transaction

    from audit import checks, ledger
    from core.actors import SystemActor

    actor, rounds = SystemActor("bench"), 10
    each = n // rounds

    def append(reason: Callable[[], Any], write: Callable[..., Any]) -> None:
        for _ in range(each):
            with transaction.atomic():
                write(_approval(reason()), actor=actor)

    def with_proofs() -> None:
        append(lambda: ledger.Sealed(REASON, by="user:1"), ledger.append_many)
        assert checks.check_new().is_intact  # type: ignore[union-attr]  # beat does so once a minute

    arms = {
        "with sealing, Merkle tree and heads": with_proofs,
        "chain alone": lambda: append(lambda: REASON, ledger.append_many),
        "chain alone, written as before": lambda: append(lambda: REASON, _as_before),
    }
    return [_cost("approvals", n, arms, rounds, checks.check_new)]


def decisions(n: int) -> list[dict[str, Any]]:
    from audit import checks
    from moderation.decisions import settling
    from tests import factories, people

    reviewer, rounds, each = people.reviewer(), 8, max(1, n // 8)

    def prepare() -> None:
        checks.check_new()
        for _ in range(each):
            request = factories.generation_request(status="completed")
            draft = factories.candidate("Harbour mug: sea green, 350 ml.", request=request, status="in_review", rank=1)
            factories.answer(factories.review_item(draft), reviewer, verdict="accept")

    def with_proofs() -> None:
        done = 0
        while done < each:
            done += settling.settle_decisions()
        assert checks.check_new().is_intact  # type: ignore[union-attr]

    def alone() -> None:
        done = 0
        while done < each:
            done += settling.settle_decisions()

    arms = {"with sealing, Merkle tree and heads": with_proofs, "chain alone": alone}
    return [_cost("decisions", n, arms, rounds, prepare)]


def _cost(
    name: str, n: int, arms: dict[str, Callable[[], None]], rounds: int, between: Callable[[], object]
) -> dict[str, Any]:
    """Time the arms in turns, the first against the second; `between` is not timed."""
    times: dict[str, list[float]] = {arm: [] for arm in arms}
    for number in range(rounds):
        for arm in list(arms) if number % 2 else reversed(arms):
            between()
            started = time.perf_counter()
            arms[arm]()
            times[arm].append(time.perf_counter() - started)
    ours, alone, *_ = times.values()
    slower = statistics.median(a / b - 1 for a, b in zip(ours, alone, strict=True))
    print(f"{n:,} {name} in each arm, {rounds} rounds in turns; slower by {slower:+.1%} (median of the rounds' own)")
    for arm, values in times.items():
        print(f"  {arm:36s} {sum(values):7.1f} s in all, {1000 * sum(values) / n:.2f} ms each")
    return {
        "name": f"ledger: {name}, slower by",
        "ours": round(sum(ours), 2),
        "reference": round(sum(alone), 2),
        "ratio": round(slower, 3),
        "must": SLOWER_MUST,
        "pass": slower <= SLOWER_MUST,
    }


# --- What is found -----------------------------------------------------------------------------------------------


def tampering(n: int) -> list[dict[str, Any]]:
    from django.db import transaction

    from audit import anchors
    from audit.verification import verify
    from tests.audit import tampering as acts
    from tests.audit.signed import write_and_sign

    rng = random.Random(20261126)
    write_and_sign(*(rng.randint(1, 25) for _ in range(20)))
    before = acts.take()
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for number in range(n):
        with transaction.atomic():
            done = acts.tamper(before, rng, acts.ACTS[number % len(acts.ACTS)])
            found = verify()
            outcome = "named" if found.bad_seq == done.bad_seq else "missed" if found.is_intact else "misnamed"
            counts[done.name][outcome] += 1
            transaction.set_rollback(True)
    for _ in range(max(1, n // 10)):
        with transaction.atomic():
            way = acts.heads_only(rng)
            counts[f"heads and keys alone: {way}"]["missed" if verify().is_intact else "found"] += 1
            transaction.set_rollback(True)
    place = anchors.path()
    kept = place.read_bytes()
    for _ in range(max(1, n // 10)):
        with transaction.atomic():
            done = acts.back_in_both_places(before, rng)
            found = verify()
            outcome = "named" if found.bad_seq == done.bad_seq else "missed" if found.is_intact else "misnamed"
            counts["both places put back"][outcome] += 1
            transaction.set_rollback(True)
        place.write_bytes(kept)
    print(f"tampering with {len(before.rows)} lines under {len(before.heads)} heads")
    for name, outcomes in counts.items():
        print(f"  {name:40s} {dict(outcomes)}")
    lines = [outcomes for outcomes in counts.values() if "named" in outcomes or "misnamed" in outcomes]
    good = sum(outcomes["named"] + outcomes["found"] for outcomes in counts.values())
    total = sum(outcomes.total() for outcomes in counts.values())
    assert verify().is_intact
    return [
        {
            "name": "ledger: tamperings found, the first bad line named",
            "ours": good,
            "reference": total,
            "ratio": good / total,
            "must": 1.0,
            "pass": good == total and len(lines) == len(acts.ACTS) + 1,
        }
    ]


def alarms(n: int) -> list[dict[str, Any]]:
    """Check in two processes while two write; whatever is called broken then is a false alarm."""
    from django.db import connection

    from audit.models import LedgerEntry, TreeHead

    connection.close()
    context = multiprocessing.get_context("fork")
    stop, found = context.Event(), context.Queue()
    writers = [context.Process(target=_write, args=(stop, seed)) for seed in range(2)]
    # One makes the incremental checks, as one worker does; another verifies from the outside meanwhile.
    shares = {True: n * 9 // 10, False: n - n * 9 // 10}
    checkers = [context.Process(target=_check, args=(share, inside, found)) for inside, share in shares.items()]
    started = time.perf_counter()
    for process in writers + checkers:
        process.start()
    outcomes = collections.Counter(found.get(timeout=7200) for _ in range(n))
    seconds = time.perf_counter() - started
    stop.set()
    for process in writers + checkers:
        process.join()
    false = {outcome: count for outcome, count in outcomes.items() if outcome[1]}
    print(
        f"{outcomes.total():,} checks by two processes in {seconds:.0f} s while two wrote "
        f"{LedgerEntry.objects.count():,} lines under {TreeHead.objects.count():,} heads; false alarms: {false}"
    )
    for kind, count in collections.Counter({kind: c for (kind, bad), c in outcomes.items() if not bad}).items():
        print(f"  {kind:24s} {count:7,}")
    n_false = sum(false.values())
    return [
        {
            "name": "ledger: false alarms",
            "ours": n_false,
            "reference": outcomes.total(),
            "ratio": n_false / outcomes.total(),
            "must": 0,
            "pass": not n_false,
        }
    ]


def _check(n: int, incremental: bool, found: Any) -> None:
    """Make `n` checks and put kind and trouble (empty: none) of each into `found`."""
    from audit import checks, merkle, proofs
    from audit.models import TreeHead
    from audit.verification import verify

    rng, done = random.Random(5), 0
    while done < n:
        if incremental:
            result = checks.check_new()
            assert result is not None
            outcome = "incremental", result.reason
        elif rng.random() < 0.5:
            outcome = "whole", verify().reason
        else:
            sizes = list(TreeHead.objects.order_by("-size").values_list("size", flat=True)[1:500])
            if not sizes:
                continue
            both = proofs.consistency(rng.choice(sizes))
            old, new = both["old"], both["new"]
            path = [bytes.fromhex(node) for node in both["path"]]
            roots = bytes.fromhex(old["root"]), bytes.fromhex(new["root"])
            holds = merkle.is_consistent(old["size"], roots[0], new["size"], roots[1], path)
            outcome = "consistency proof", "" if holds else f"{old['size']} to {new['size']}"
        done += 1
        found.put(outcome)


def _write(stop: Any, seed: int) -> None:
    from audit import ledger

    rng = random.Random(seed)
    while not stop.is_set():
        lines = [line for _ in range(rng.randint(1, 3)) for line in _approval(ledger.Sealed(REASON, by=f"user:{seed}"))]
        _append(lines[: rng.randint(1, len(lines))])
        time.sleep(rng.expovariate(3))


# --- The scene ---------------------------------------------------------------------------------------------------


def _empty(root: Path) -> None:
    """Begin with an empty ledger, as no part of the product could."""
    from django.db import connection

    with _superuser(), connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE audit_ledgerentry, audit_treehead, audit_timestamp, audit_ledgercheck, audit_ledgerkey"
        )
    for name in ("anchors.jsonl", "high-water.json"):
        (root / "elsewhere" / name).unlink(missing_ok=True)


@contextmanager
def _superuser() -> Iterator[None]:
    from tests.audit.signed import superuser

    with superuser():
        yield


if __name__ == "__main__":
    main()
