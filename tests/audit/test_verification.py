"""What a verification says, to the word and the line: of a walk in steps of any length, and of heads from two places."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import anchors, checks, heads, merkle
from audit.ledger import GENESIS_HASH
from audit.models import LedgerEntry
from audit.reading import Line, lines_after
from audit.signing import Head, Keyring, SigningKey, key_id_of
from audit.verification import Verification, Walk, agreed_heads, verify
from tests.audit.signed import sql, write, write_and_sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw().hex()
RING = Keyring([SigningKey(PUBLIC, 0, "2026-01-01")], roots=[PUBLIC])


def head(size: int, first: int, *, root: str = "aa", is_good: bool = True) -> Head:
    """A head over lines that nobody wrote, signed well or not."""
    plain = Head(
        size=size,
        first=first,
        root=root,
        entry="ee",
        at="2026-01-02T03:04:05.678+00:00",
        key=key_id_of(PUBLIC),
        leaves=bytes(8 * (size - first)),
    )
    return dataclasses.replace(plain, signature=KEY.sign(plain.statement() if is_good else b"?").hex())


A, B, C = head(1_500, 0), head(2_500, 1_500), head(3_500, 2_500)


def test_heads_that_both_places_have_count_once_and_are_no_trouble() -> None:
    assert agreed_heads([A, B, C], [C, A, B], RING) == ([A, B, C], "")
    assert agreed_heads([], [], RING) == ([], "")


def test_heads_that_were_not_brought_over_yet_count() -> None:
    assert agreed_heads([A, B, C], [A], RING) == ([A, B, C], "")
    assert agreed_heads([A], [], RING) == ([A], "")


def test_a_head_that_the_second_place_should_have_by_now_does_not_count() -> None:
    trouble = "the second place lacks the head of 2,500 lines, and has later ones"
    # What it vouches for is not there, so the one after it joins nothing either; the first trouble is told.
    assert agreed_heads([A, B, C], [A, C], RING) == ([A, C], trouble)


def test_a_head_that_the_database_lost_counts_and_is_told() -> None:
    trouble = "the head of 2,500 lines stands in the second place and not in the database"
    assert agreed_heads([A], [A, B], RING) == ([A, B], trouble)


def test_of_two_signed_heads_about_the_same_lines_the_second_place_is_believed() -> None:
    other = head(1_500, 0, root="bb")
    assert agreed_heads([other], [A], RING) == (
        [A],
        "two heads about the first 1,500 lines are signed, and they differ",
    )


@pytest.mark.parametrize("stored_is_good", [True, False])
def test_of_two_heads_the_one_with_a_good_signature_counts(stored_is_good: bool) -> None:
    bad = head(1_500, 0, is_good=False)
    pair = ([A], [bad]) if stored_is_good else ([bad], [A])
    assert agreed_heads(*pair, RING) == ([A], "the signature of the head of 1,500 lines is not valid")


def test_a_head_that_nobody_signed_well_does_not_count() -> None:
    bad = head(1_500, 0, is_good=False)
    assert agreed_heads([bad], [], RING)[0] == agreed_heads([bad], [bad], RING)[0] == []


def test_a_head_that_joins_no_other_is_told() -> None:
    assert agreed_heads([A, C], [], RING) == ([A, C], "a signed head between 1,500 and 3,500 lines is missing")
    assert agreed_heads([B], [], RING) == ([B], "a signed head between 0 and 2,500 lines is missing")


def everything() -> list[Line]:
    return [line for lines in lines_after(0) for line in lines]


def walked(lines: list[Line], heads_: list[Head], step: int) -> Walk:
    """A walk over `lines`, so many at a time."""
    walk = Walk(heads=heads_)
    for start in range(0, len(lines), step):
        if not walk.take(lines[start : start + step]):
            break
    walk.finish()
    return walk


@pytest.mark.django_db
@pytest.mark.parametrize("step", [1, 2, 5, 7, 40])
def test_in_steps_of_any_length_the_walk_comes_to_the_same_end(step: int) -> None:
    write_and_sign(10, 7, 20)
    write(3)
    lines, signed = everything(), heads.stored()
    hashes = [bytes.fromhex(stored) for _, _, stored, _ in lines]
    walk = walked(lines, signed, step)
    assert (walk.n, walk.last_hash, walk.bad_seq, walk.reason) == (40, lines[-1][2], None, "")
    assert walk.tree.root() == merkle.root_of(hashes)
    assert bytes(walk.leaves) == b"".join(leaf[:8] for leaf in hashes)
    assert walk.take([]), "nothing more is nothing bad"


@pytest.mark.django_db
@pytest.mark.parametrize("step", [1, 2, 5, 7, 40])
@pytest.mark.parametrize("bad", [1, 2, 10, 11, 13, 17, 18, 37])
def test_in_steps_of_any_length_the_same_line_is_named(step: int, bad: int) -> None:
    write_and_sign(10, 7, 20)
    lines, signed = everything(), heads.stored()
    seq, before, _, _ = lines[bad - 1]
    forged = "ab" * 32
    lines[bad - 1] = (seq, before, forged, forged)
    when = f" at {next(one for one in signed if one.size >= bad).at[:19].replace('T', ' ')} UTC"
    walk = walked(lines, signed, step)
    assert (walk.bad_seq, walk.reason) == (bad, f"it is not the line that was signed for{when}")
    assert walk.n == bad - 1, "the lines before it hold"
    assert walk.last_hash == (lines[bad - 2][2] if bad > 1 else GENESIS_HASH)
    assert len(walk.leaves) == 8 * (bad - 1)
    assert not walk.take(lines)


@pytest.mark.django_db
def test_a_line_that_keeps_its_beginning_is_found_by_the_signed_root() -> None:
    """Nobody can make such a hash; if somebody could, the first eight bytes of it would not be all that is signed."""
    write_and_sign(10, 5)
    lines, signed = everything(), heads.stored()
    seq, before, stored, _ = lines[-1]
    forged = stored[:-1] + ("0" if stored[-1] != "0" else "1")
    walk = walked([*lines[:-1], (seq, before, forged, forged)], signed, 40)
    when = signed[1].at[:19].replace("T", " ")
    assert (walk.bad_seq, walk.reason) == (11, f"the lines from here to 15 do not give the signed root at {when} UTC")


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"root": "0" * 64}, {"entry": "0" * 64}])
def test_a_signed_head_has_to_have_the_root_and_the_last_hash_of_its_lines(wrong: dict[str, str]) -> None:
    write_and_sign(10, 5)
    first, second = heads.stored()
    assert walked(everything(), [first, dataclasses.replace(second, **wrong)], 40).bad_seq == 11
    assert walked(everything(), [dataclasses.replace(first, **wrong), second], 40).bad_seq == 1


@pytest.mark.django_db
def test_where_a_head_is_missing_the_next_one_still_vouches_for_all_up_to_it() -> None:
    write_and_sign(10, 5)
    lines, (_, second) = everything(), heads.stored()
    assert walked(lines, [second], 5).reason == ""
    # Which of those up to 10 it is nobody vouches for: the first that may be wrong is named.
    for bad, named in ((3, 1), (11, 1), (12, 12)):
        seq, before, _, _ = lines[bad - 1]
        chain = [*lines[: bad - 1], (seq, before, "cd" * 32, "cd" * 32)]
        if bad < 15:
            seq, _, stored, _ = lines[bad]
            chain += [(seq, "cd" * 32, stored, stored), *lines[bad + 1 :]]
        assert {walked(chain, [second], step).bad_seq for step in (1, 4, 5, 7, 40)} == {named}


@pytest.mark.django_db
def test_what_is_cut_off_is_named_with_all_that_was_signed_for() -> None:
    write_and_sign(10, 5, 4)
    lines, signed = everything(), heads.stored()
    when = signed[-1].at[:19].replace("T", " ")
    for kept, n in ((10, 11), (12, 13), (16, 17), (0, 1)):
        walk = walked(lines[:kept], signed, 4)
        assert (walk.bad_seq, walk.reason) == (
            n,
            f"it is missing, as all up to 19 that were signed for at {when} UTC",
        )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "bad", "reason"),
    [
        ("DELETE FROM audit_ledgerentry WHERE seq = 4", 4, "line 4 is missing; the next one is 5"),
        (
            "UPDATE audit_ledgerentry SET seq = 0 WHERE seq = 4",
            0,
            "it should not be there: numbers start at 1 and rise by 1",
        ),
        ("UPDATE audit_ledgerentry SET actor = 'x' WHERE seq = 4", 4, "its content does not match its hash"),
        ("UPDATE audit_ledgerentry SET prev_hash = 'x' WHERE seq = 4", 4, "it does not follow from the line before"),
    ],
)
def test_what_is_wrong_with_a_line_is_told(change: str, bad: int, reason: str) -> None:
    write(5)
    sql(change)
    result = verify()
    assert (result.bad_seq, result.reason, result.is_intact) == (bad, reason, False)
    assert result.n_entries == max(bad - 1, 0), "those before it, and never fewer than none"


@pytest.mark.django_db
def test_a_verification_tells_how_far_it_is_and_what_it_found() -> None:
    write_and_sign(10, 5)
    last = write(3)[-1].entry_hash
    told: list[int] = []
    hashes = LedgerEntry.objects.order_by("seq").values_list("entry_hash", flat=True)
    root = merkle.root_of(bytes.fromhex(one) for one in hashes).hex()
    assert verify(on_progress=told.append) == Verification(
        n_entries=18,
        head_hash=last,
        root_hash=root,
        n_heads=2,
        anchored_size=15,
        marked_size=15,
        first=1,
        bad_seq=None,
        reason="",
        note="",
    )
    assert told == [18]


@pytest.mark.django_db
def test_an_empty_ledger_is_intact() -> None:
    nothing = Verification(n_entries=0, head_hash=GENESIS_HASH, root_hash=merkle.EMPTY_ROOT.hex())
    assert verify() == nothing


@pytest.mark.django_db
def test_a_hash_that_was_kept_elsewhere_may_be_of_any_line_and_has_to_be_of_one() -> None:
    lines = write(5)
    for line in lines:
        assert verify(expected_head=line.entry_hash).is_intact
    result = verify(expected_head="ab" * 32)
    assert (result.bad_seq, result.reason) == (6, "the expected head hash is not in the chain: it was cut or rewritten")
    sql("UPDATE audit_ledgerentry SET actor = 'x' WHERE seq = 2")
    assert verify(expected_head="ab" * 32).bad_seq == 2, "a bad line says more"


@pytest.mark.django_db
def test_a_second_place_that_is_gone_is_missed() -> None:
    write_and_sign(5)
    anchors.path().unlink()
    assert verify().reason == heads.GONE


@pytest.mark.django_db
def test_before_there_is_a_head_nothing_is_missed() -> None:
    write(5)
    assert verify().is_intact
    assert checks.quick_problem() == ""
