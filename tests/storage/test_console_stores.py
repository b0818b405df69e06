"""What the admin console stores and reads: people as a list, profits that are kept, links, notices, the record."""

from decimal import Decimal

import pytest
from sqlalchemy import insert, update

from blitz.core.orders import BookedFill, Direction, Fill, FillKind
from blitz.core.records import BotEvent, Cycle, CycleEnd, CycleSaved, EventKind, EventNoted, FillBooked
from blitz.errors import SettingsProblem
from blitz.storage.addresses import EmailTaken
from blitz.storage.admin_acts import ActStore
from blitz.storage.bots import BotStore
from blitz.storage.history import History
from blitz.storage.invitations import VALID_MS, Invitations, LinkUsed
from blitz.storage.journal import BotJournal
from blitz.storage.notices import MESSAGE_CHARACTERS_MAX, NoticeStore
from blitz.storage.people import People
from blitz.storage.profits import Profits
from blitz.storage.rows import cycle_to_row, event_to_row
from blitz.storage.sessions import SessionStore
from blitz.storage.tables import cycles, events, invitations
from blitz.storage.users import LastAdmin, UnknownUser, WeakPassword
from tests.storage.conftest import NOON_MS, PASSWORD

OTHER_PASSWORD = "glass lantern orchard 71"


@pytest.fixture
def links(db, users, clock):
    return Invitations(db, users, clock)


@pytest.fixture
def acts(db, clock):
    return ActStore(db, clock)


@pytest.fixture
def notices(db, clock):
    return NoticeStore(db, clock)


@pytest.fixture
def profits(db):
    return Profits(db, History(db))


def closed(user, number, profit, *, account="bybit:paper", kind=EventKind.CYCLE_CLOSED):
    """A closed cycle and its line of the feed, as rows."""
    cycle = Cycle(
        number=number,
        settings=user.settings,
        started_ms=NOON_MS,
        ended_ms=NOON_MS + 1,
        end=CycleEnd.TAKE_PROFIT,
        realised=Decimal(profit),
    )
    told = BotEvent(kind=kind, at_ms=NOON_MS, cycle=number)
    return cycle_to_row(cycle, user.id, account), event_to_row(told, user.id, account)


def store(db, *rows):
    with db.write() as connection:
        for cycle, event in rows:
            connection.execute(insert(cycles), [cycle])
            connection.execute(insert(events), [event])


# People


def test_people_are_found_by_a_part_of_the_address_in_any_spelling_and_by_number(db, alice, bob):
    people = People(db)

    assert [one.id for one in people.find("ALICE")] == [alice.id]
    assert [one.id for one in people.find(f"#{bob.id}")] == [bob.id]
    assert [one.id for one in people.find("example")] == [alice.id, bob.id]


@pytest.mark.parametrize("search", ["%", "_lice", "ali%e", "'; DROP TABLE users; --", "\\"])
def test_signs_of_the_database_stand_for_themselves(db, alice, search):
    assert People(db).find(search) == []


def test_people_are_narrowed_by_role_and_access(db, users, alice, bob):
    users.make_admin(alice.id)
    users.set_active(bob.id, active=False)
    people = People(db)

    assert [one.id for one in people.find(role="admin")] == [alice.id]
    assert [one.id for one in people.find(active=False)] == [bob.id]
    assert [one.id for one in people.find(role="trader", active=True)] == []


def test_a_page_is_cut_in_the_order_asked_for_and_never_lies_beyond_the_last(db, users):
    made = [users.create(f"{name}@example.com", PASSWORD).id for name in ("c", "a", "b")]
    people = People(db)

    first, found = people.page(by_email=True, page=1, rows=2)
    last, _ = people.page(by_email=True, page=99, rows=2)
    newest, _ = people.page(is_descending=True, page=1, rows=1)

    assert ([one.email[0] for one in first], [one.email[0] for one in last], found) == (["a", "b"], ["c"], 3)
    assert [one.id for one in newest] == [made[-1]]


def test_a_person_carries_how_the_bot_was_last_recorded(db, clock, alice, bob):
    BotStore(db, clock).record_status(alice.id, "error", "It fell.")
    found = People(db).of([alice.id, bob.id, 999])

    assert (found[alice.id].status, found[alice.id].message) == ("error", "It fell.")
    assert (found[bob.id].status, found[bob.id].message) == ("not_running", "")
    assert 999 not in found


def test_an_open_cycle_names_its_own_account_and_market(db, alice, bob):
    row, _ = closed(alice, 1, "0", account="bingx:demo")
    with db.write() as connection:
        connection.execute(insert(cycles), [{**row, "ended_ms": None, "end": None}])
    store(db, closed(bob, 1, "0"))

    found = People(db).open_cycles([alice.id, bob.id])

    assert found.keys() == {alice.id}
    assert (found[alice.id].account, found[alice.id].symbol) == ("bingx:demo", alice.settings.symbol)


# Profits


def test_profits_are_exact_and_modes_are_never_added_together(db, alice, bob, profits):
    store(
        db,
        closed(alice, 1, "0.1"),
        closed(alice, 2, "0.2"),
        closed(bob, 1, "-5", account="bybit:live"),
        closed(bob, 2, "7", account="bybit:testnet"),
    )

    told = profits.by_mode(within_seconds=5)

    assert (told.paper, told.demo, told.live, told.is_complete) == (Decimal("0.3"), Decimal(7), Decimal(-5), True)
    assert profits.of([(alice.id, "bybit:paper")]) == {(alice.id, "bybit:paper"): Decimal("0.3")}


def test_profits_follow_what_happens_afterwards_and_corrections(db, alice, profits):
    store(db, closed(alice, 1, "1"))
    assert profits.by_mode(5).paper == Decimal(1)

    store(db, closed(alice, 2, "2"))
    assert profits.by_mode(5).paper == Decimal(3)

    row, told = closed(alice, 2, "2.5", kind=EventKind.CYCLE_CORRECTED)
    with db.write() as connection:
        connection.execute(update(cycles).where(cycles.c.number == 2).values(realised=row["realised"]))
        connection.execute(insert(events), [told])
    assert profits.by_mode(5).paper == Decimal("3.5")


def test_without_time_nothing_is_added_up_and_that_is_said(db, alice, profits):
    store(db, closed(alice, 1, "1"))

    told = profits.by_mode(within_seconds=0)

    assert (told.paper, told.is_complete) == (Decimal(0), False)
    assert profits.of([(alice.id, "bybit:paper")])[(alice.id, "bybit:paper")] == Decimal(1)
    assert profits.by_mode(5).paper == Decimal(1)


def test_an_open_cycle_counts_with_its_books(db, alice, profits):
    cycle = Cycle(number=8, settings=alice.settings, started_ms=NOON_MS)
    fill = Fill(
        exec_id="1",
        order_id="1",
        client_id="",
        symbol=alice.settings.symbol,
        kind=FillKind.FUNDING,
        direction=Direction.BUY,
        quantity=Decimal(0),
        price=Decimal(60000),
        fee=Decimal("0.25"),
        is_maker=False,
        at_ms=NOON_MS,
    )
    told = EventNoted(event=BotEvent(kind=EventKind.FUNDING, at_ms=NOON_MS, cycle=8))
    store(db, closed(alice, 7, "4"))
    assert profits.by_mode(5).paper == Decimal(4)

    journal = BotJournal(db, alice.id, "bybit:paper")
    journal.save(
        [CycleSaved(cycle=cycle), FillBooked(booked=BookedFill(fill=fill, key=None, cycle=8)), told], durable=False
    )

    assert profits.by_mode(5).paper == Decimal("3.75")
    assert Profits(db, History(db)).by_mode(5).paper == Decimal("3.75")


# Links


def test_an_invitation_makes_its_user_once(users, links):
    raw = links.invite("Carol@Example.com", "trader")
    made = links.accept(raw, OTHER_PASSWORD)

    assert (made.email, made.role) == ("carol@example.com", "trader")
    assert users.check_password("carol@example.com", OTHER_PASSWORD) == made
    with pytest.raises(LinkUsed):
        links.accept(raw, OTHER_PASSWORD)


def test_a_weak_password_leaves_the_link_as_it_was(links):
    raw = links.invite("carol@example.com", "admin")
    with pytest.raises(WeakPassword):
        links.accept(raw, "short")

    assert links.accept(raw, OTHER_PASSWORD).role == "admin"


def test_a_link_is_over_after_seven_days(clock, links):
    raw = links.invite("carol@example.com", "trader")
    clock.advance(VALID_MS - 1)
    assert links.find(raw) is not None
    clock.advance(1)

    assert (links.find(raw), links.waiting()) == (None, [])
    with pytest.raises(LinkUsed):
        links.accept(raw, OTHER_PASSWORD)


def test_only_the_hash_of_a_link_is_stored(db, links):
    raw = links.invite("carol@example.com", "trader")
    with db.read() as connection:
        stored = connection.execute(invitations.select()).mappings().one()

    assert raw not in map(str, stored.values())
    assert links.find(stored["token_hash"]) is None


def test_a_new_link_and_taking_back_end_the_one_before(links):
    first = links.invite("carol@example.com", "trader")
    second = links.invite("carol@example.com", "trader")
    assert (links.find(first), links.find(second) is not None) == (None, True)

    taken = links.take_back(links.waiting()[0].id)

    assert taken is not None
    assert taken.email == "carol@example.com"
    assert links.find(second) is None
    assert links.take_back(taken.id) is None


def test_nobody_is_invited_under_an_address_that_is_taken_or_none(links, alice):
    with pytest.raises(EmailTaken):
        links.invite(alice.email, "trader")
    with pytest.raises(SettingsProblem):
        links.invite("not an address", "trader")


def test_an_invitation_never_becomes_the_key_to_an_account_made_since(users, links):
    raw = links.invite("carol@example.com", "trader")
    users.create("carol@example.com", PASSWORD)

    with pytest.raises(EmailTaken):
        links.accept(raw, OTHER_PASSWORD)
    assert users.check_password("carol@example.com", OTHER_PASSWORD) is None


def test_a_reset_sets_the_password_and_ends_every_session(db, clock, users, links, alice):
    sessions = SessionStore(db, clock)
    session = sessions.create(alice.id, "peer", "agent")
    raw = links.reset(alice)
    assert sessions.lookup(session) is not None

    assert links.accept(raw, OTHER_PASSWORD).id == alice.id
    assert sessions.lookup(session) is None
    assert users.check_password(alice.email, OTHER_PASSWORD) is not None
    with pytest.raises(LinkUsed):
        links.accept(raw, PASSWORD)


def test_a_reset_does_not_let_a_disabled_user_in(users, links, alice):
    raw = links.reset(alice)
    users.set_active(alice.id, active=False)

    with pytest.raises(LinkUsed):
        links.accept(raw, OTHER_PASSWORD)


# Access


def test_the_last_administrator_cannot_be_disabled(users, alice, bob):
    users.make_admin(alice.id)
    with pytest.raises(LastAdmin):
        users.disable(alice.id)

    users.make_admin(bob.id)
    users.disable(alice.id)
    with pytest.raises(LastAdmin):
        users.disable(bob.id)
    assert users.by_id(bob.id).active


def test_disabling_ends_sessions_and_nobody_unknown_is_disabled(db, clock, users, alice):
    sessions = SessionStore(db, clock)
    raw = sessions.create(alice.id, "peer", "agent")
    users.disable(alice.id)

    assert sessions.lookup(raw) is None
    with pytest.raises(UnknownUser):
        users.disable(999)


# Notices


def test_a_notice_stands_until_it_is_taken_away(notices):
    assert (notices.all(), notices.maintenance()) == ({}, "")
    notices.say("maintenance", "  Back   at 18:00. ")
    assert notices.maintenance() == "Back at 18:00."
    notices.say("maintenance", "Later.")
    assert notices.all()["maintenance"].message == "Later."
    notices.say("maintenance", " ")
    assert notices.all() == {}


def test_a_notice_is_one_sentence(notices):
    with pytest.raises(SettingsProblem):
        notices.say("banner", "x" * (MESSAGE_CHARACTERS_MAX + 1))


def test_a_notice_is_read_once_for_many_pages(db, clock, notices):
    notices.all()
    NoticeStore(db, clock).say("banner", "From another process.")

    assert notices.all() == {}


# The record


def test_acts_are_kept_newest_first_with_who_and_whom(users, acts, alice, bob):
    acts.note(alice.id, "force_stop", [(bob.id, "Bot stopped."), (None, "x" * 9999)])
    acts.note(999, "banner", [(None, "Hello.")])

    found = acts.page()
    assert [one.action for one in found] == ["banner", "force_stop", "force_stop"]
    assert (found[2].admin, found[2].user, found[2].outcome) == (alice.email, bob.email, "Bot stopped.")
    assert (found[0].admin, found[0].user, found[0].admin_id) == ("", "", 999)
    assert len(found[1].outcome) == 500
    assert [one.id for one in acts.page(before_id=found[1].id)] == [found[2].id]
    assert len(acts.page(limit=2)) == 2


def test_problems_of_everybody_are_found_newest_first(db, acts, alice, bob):
    def note(user, kind):
        told = BotEvent(kind=kind, at_ms=NOON_MS, data={"message": "Look."})
        BotJournal(db, user.id, "bybit:paper").save([EventNoted(event=told)], durable=False)

    note(alice, EventKind.FAILED)
    note(alice, EventKind.STARTED)
    note(bob, EventKind.UNPROTECTED)
    note(alice, EventKind.ATTENTION)

    found = acts.problems()
    assert [one.event.kind for one in found] == [EventKind.ATTENTION, EventKind.UNPROTECTED, EventKind.FAILED]
    assert [one.email for one in found] == [alice.email, bob.email, alice.email]
    assert [one.id for one in acts.problems(before_id=found[1].id)] == [found[2].id]


def test_the_size_of_the_database_counts_what_is_not_merged_yet(db, path):
    assert db.size_bytes() >= path.stat().st_size > 0
