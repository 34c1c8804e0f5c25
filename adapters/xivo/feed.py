"""One open feed: all accounts signed on, and what each is told on its way to the rooms, the lanes and the reports."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from adapters.kit.reports import Reports
from adapters.xivo.arrivals import Arrivals
from adapters.xivo.lane import Lane, LateFailure
from adapters.xivo.room_list import ASK_AGAIN_S, Answer, RoomList
from adapters.xivo.roster import Rooms
from adapters.xivo.session import Account, Session
from adapters.xivo.told import (
    CallsTold,
    CallTold,
    CommandFailed,
    Entered,
    ErrorTold,
    Exited,
    PersonTold,
    RoomsListed,
    Told,
)
from gateway.model.errors import CommandErrorCode, GatewayError, LinkDown, SignInRefused, refused
from gateway.model.reports import CommandFailedReport, Report
from gateway.model.room import Room

log = logging.getLogger(__name__)

_RETRY_AFTER_MS = 2000
"""When to come back to an account that is not signed on."""
_LOOK_AGAIN_S = 0.1
"""How long to wait for a list that names somebody before asking for another: lists may lag behind the events."""
_NO_LIST = "XiVO does not list its rooms: only those are known that one of our accounts is in"


@dataclass(frozen=True, slots=True)
class Patience:
    """How an account that is not the list account is signed on again.

    Units: seconds. The wait doubles from `first_wait_s` to `longest_wait_s`, each time shortened at random by up to
           half, and begins anew when a session has lasted for `steady_s`; `refused_wait_s` is that after a refusal.
           `list_wait_s` is how long the room list may take, and how long the others are waited for at the beginning.
    """

    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0
    steady_s: float = 10.0
    refused_wait_s: float = 60.0
    list_wait_s: float = 10.0


class Feed:
    """What the adapter holds while it is connected.

    Shape: the first of `accounts` is the list account: with its session the feed ends. The others come and go, and each
           costs only what it would have shown; `troubles` says what is wrong with those that are not there, and under
           the list account that there is no room list although it is wanted.
    """

    def __init__(
        self,
        accounts: Sequence[Account],
        open_session: Callable[[Account], Coroutine[object, object, Session]],
        rooms: Rooms,
        patience: Patience,
    ) -> None:
        self.reports = Reports()
        self.sessions: dict[str, Session] = {}
        self.troubles: dict[str, str] = {}
        self._said: dict[str, str] = {}
        self.arrivals = Arrivals(rooms)
        self._logins = frozenset(account.login for account in accounts)
        self._list_account, *self._others = accounts
        self._open_session = open_session
        self._rooms = rooms
        self._is_list_wanted = rooms.has_lists
        self._patience = patience
        self._list: RoomList | None = None
        self._list_or_error = asyncio.Event()
        self._list_is_wanted = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sign all accounts on, and follow what they are told until the context is left.

        Errors: SignInRefused, LinkDown, of the list account.
        """
        async with AsyncExitStack() as stack:
            tried = [asyncio.Event() for _ in self._others]
            for account, event in zip(self._others, tried, strict=True):
                await stack.enter_async_context(self._working(partial(self._keep, account, event), account.login))
            leading = await self._open_session(self._list_account)
            stack.push_async_callback(leading.aclose)  # the task that follows it may be cancelled before it begins
            self._list = RoomList(leading.send)
            await stack.enter_async_context(self._working(partial(self._lead, leading), "list account"))
            await stack.enter_async_context(self._working(self._have_all_named, "names"))
            await self._wait_for_the_others(tried)
            try:
                await self._find_out_whether_rooms_are_listed()
                yield
            finally:
                self.reports.end(LinkDown("the feed was closed"))

    async def read(self) -> Sequence[Room]:
        """Ask for the room list, and give the rooms as of the answer, once all that was reported before it is taken.

        Errors: SignInRefused, LinkDown.
        """
        self.reports.check()
        try:
            async with asyncio.timeout(self._patience.list_wait_s):
                return await self._in_time(await self._question())
        except TimeoutError:
            raise LinkDown("XiVO does not answer getConferenceRooms") from None

    def lane_of(self, login: str) -> Lane:
        """Give the lane of an account.

        Errors: CommandRefused, when it is not signed on, or is none of ours.
        """
        if (session := self.sessions.get(login)) is not None:
            return session.lane
        if login in self._logins:
            message = f"the XiVO account '{login}' is not signed on now"
            raise refused(CommandErrorCode.BACKEND_UNAVAILABLE, message, retry_after_ms=_RETRY_AFTER_MS)
        message = f"the XiVO account '{login}' is not configured here, and only it can do this"
        raise refused(CommandErrorCode.NOT_SUPPORTED, message)

    # ---- accounts ----

    @asynccontextmanager
    async def _working(self, work: Callable[[], Coroutine[object, object, None]], name: str) -> AsyncIterator[None]:
        """Have work done in a task while the block runs; its end is that of the feed, and a fault in it is raised."""

        async def to_the_end() -> None:
            try:
                await work()
            finally:
                self.reports.end(LinkDown("the feed has stopped"))

        task = asyncio.create_task(to_the_end(), name=f"xivo: {name}")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()

    async def _wait_for_the_others(self, tried: Sequence[asyncio.Event]) -> None:
        """Let each account have tried to sign on, so that the feed begins with all they see; but not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.list_wait_s):
                for event in tried:
                    await event.wait()

    async def _lead(self, session: Session) -> None:
        """Follow the list account; its end is the end of the feed."""
        try:
            await self._follow(session)
        except GatewayError as error:
            self._end(error)
        else:
            self._end(LinkDown("XiVO closed the connection"))

    def _end(self, error: GatewayError) -> None:
        self.reports.end(error)
        self._list_of().give_up(error)
        self._list_or_error.set()

    async def _keep(self, account: Account, tried: asyncio.Event) -> None:
        """Have another account signed on as long as the feed lasts; `tried` is set after the first attempt."""
        waits = _Waits(self._patience)
        while True:
            refused = False
            try:
                await self._sign_on_and_follow(account, tried, waits)
            except GatewayError as error:
                self._cannot_sign_on(account.login, error)
                refused = isinstance(error, SignInRefused)
            tried.set()
            await asyncio.sleep(self._patience.refused_wait_s if refused else waits.next())

    async def _sign_on_and_follow(self, account: Account, tried: asyncio.Event, waits: "_Waits") -> None:
        """Errors: SignInRefused, LinkDown: why the account is not signed on, or no longer."""
        session = await self._open_session(account)
        tried.set()
        self._is_well(account.login)
        signed_on_at = asyncio.get_running_loop().time()
        try:
            await self._follow(session)
        except LinkDown as error:
            if asyncio.get_running_loop().time() - signed_on_at >= self._patience.steady_s:
                waits.over()
            # Not worth a line in the log: often the whole link is lost, and if not, the next attempt will tell.
            self.troubles[account.login] = _about(account.login, error)

    async def _follow(self, session: Session) -> None:
        """Take what a session is told until it ends; what only it knew is unknown then.

        Errors: SignInRefused, LinkDown: why it ended.
        """
        self.sessions[session.login] = session
        try:
            async for told in session:
                await self._take(session, told)
        finally:
            del self.sessions[session.login]
            session.lane.lost()
            await session.aclose()
            await self._report(self._rooms.lost(session.login))

    # ---- what is told ----

    async def _take(self, session: Session, told: Told) -> None:
        reports = await self._applied(session, told)
        session.lane.look()
        self.arrivals.look()
        await self._report(reports)

    async def _applied(self, session: Session, told: Told) -> list[Report]:
        match told:
            case RoomsListed():
                return await self._listed(session, told)
            case Entered():
                return self._rooms.entered(session.login, told)
            case Exited():
                return self._rooms.exited(session.login, told)
            case PersonTold():
                return self._rooms.person(session.login, told)
            case CallsTold():
                return self._rooms.in_calls(session.login, told)
            case CallTold():
                return self._rooms.call(session.login, told)
            case CommandFailed():
                return _late(session.lane.failed(told.code))
            case ErrorTold():
                self._failed(session)
        return []

    async def _listed(self, session: Session, told: RoomsListed) -> list[Report]:
        """Take a room list over; who asked for it hears of it after all that it made known."""
        if session.login != self._list_account.login:
            return []  # it answers nothing that we asked, and other accounts may see other rooms
        if self._list_of().is_refused:
            self._rooms.has_lists = True  # what had been taken for its refusal was none, or it is over
            if self.troubles.pop(session.login, None) is not None:
                log.info("XiVO lists its rooms again")
        asked_at, waited = await self._list_of().answered()
        self._list_or_error.set()
        await self._report(self._rooms.listed(told, asked_at))
        await self._answer(waited)
        return []

    async def _question(self) -> Answer:
        """Ask for the list, where there is one; where it was refused ask again, but wait for nothing."""
        if self._rooms.has_lists:
            return await self._list_of().ask()
        if self._is_list_wanted:
            await self._list_of().remind()
        answer: Answer = asyncio.get_running_loop().create_future()
        await self._answer([answer])
        return answer

    async def _in_time(self, answer: Answer) -> Sequence[Room]:
        """Wait for an answer, and have the list asked for again while it stays out."""
        try:
            while not answer.done():
                await asyncio.wait({answer}, timeout=ASK_AGAIN_S)
                if not answer.done() and self._rooms.has_lists:
                    await self._list_of().remind()
            return answer.result()
        finally:
            answer.cancel()

    async def _answer(self, waiting: Iterable[Answer]) -> None:
        """Give the rooms as they are now, once all that was reported of them is taken: what comes later is newer."""
        rooms = self._rooms.all() if waiting else []

        def let_go() -> None:
            for answer in waiting:
                if not answer.done():
                    answer.set_result(rooms)

        await self.reports.when_taken(let_go)

    def _failed(self, session: Session) -> None:
        """Blame an error that names nothing on the command under way, and on the question for the list.

        While the list is refused anyway, the error is that of the question: no command has to suffer from our asking.
        """
        is_leading = session.login == self._list_account.login
        if not (is_leading and self._list_of().is_open and not self._rooms.has_lists):
            session.lane.broken()
        if is_leading:
            self._list_of().refused()
            self._list_or_error.set()

    async def _report(self, reports: Iterable[Report]) -> None:
        await self.reports.add(*reports)
        if self._rooms.wants_list:
            self._list_is_wanted.set()

    async def _have_all_named(self) -> None:
        """Ask for the list as long as it would tell something, and name those whom it does not name in time."""
        while True:
            await self._list_is_wanted.wait()
            if not self._rooms.wants_list:
                self._list_is_wanted.clear()
                continue
            try:
                await self._list_of().want()
            except LinkDown as error:
                self._end(error)
                return
            await asyncio.sleep(self._until_due_s())
            await self._report(self._rooms.overdue())
            self.arrivals.look()

    def _until_due_s(self) -> float:
        due = self._rooms.next_due
        until_s = _LOOK_AGAIN_S if due is None else (due - datetime.now(UTC)).total_seconds()
        return min(max(0.0, until_s), _LOOK_AGAIN_S)

    # ---- the room list ----

    async def _find_out_whether_rooms_are_listed(self) -> None:
        """Ask for the list once: a XiVO that has it no longer answers with an error, or not at all."""
        if not self._rooms.has_lists:
            return
        await self._list_of().want()
        try:
            async with asyncio.timeout(self._patience.list_wait_s):
                await self._list_or_error.wait()
        except TimeoutError:
            self._list_of().refused()
        self.reports.check()
        if self._list_of().is_refused:
            log.warning(_NO_LIST)
            self.troubles[self._list_account.login] = _NO_LIST
            over = self._rooms.listed(RoomsListed(rooms=()))  # what earlier lists told
            self._rooms.has_lists = False
            await self._report(over)

    def _list_of(self) -> RoomList:
        if self._list is None:
            raise LinkDown("not connected")
        return self._list

    # ---- troubles ----

    def _cannot_sign_on(self, login: str, error: GatewayError) -> None:
        trouble = _about(login, error)
        if self._said.get(login) != trouble:
            log.warning("%s", trouble)
        self.troubles[login] = self._said[login] = trouble

    def _is_well(self, login: str) -> None:
        self.troubles.pop(login, None)
        if self._said.pop(login, None) is not None:
            log.info("XiVO account '%s' is signed on again", login)


class _Waits:
    """How long to wait before the next attempt."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._next_s = patience.first_wait_s

    def over(self) -> None:
        """Begin anew: what came of an attempt has lasted."""
        self._next_s = self._patience.first_wait_s

    def next(self) -> float:
        """Give the seconds to wait, and double them for the next time."""
        wait_s = self._next_s * random.uniform(0.5, 1.0)
        self._next_s = min(self._next_s * 2, self._patience.longest_wait_s)
        return wait_s


def _about(login: str, error: GatewayError) -> str:
    text = str(error)
    return text if f"'{login}'" in text else f"XiVO account '{login}': {text}"


def _late(failure: LateFailure | None) -> list[Report]:
    return [] if failure is None else [CommandFailedReport(room_id=failure.room_id, error=failure.error)]
