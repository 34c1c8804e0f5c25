"""Calls between an extension and somebody: how they come up, are held and end.

Inferred: whose leg ends first (the other's); a colleague who is called has an own leg with an extension, everybody
          else's belongs to the account alone; a busy number ends both legs with TargetBusy.
"""

from .failures import incorrect_state
from .people import Account, Device, Extension
from .sessions import UP, Code, End, Party, Session, Sessions


class Calls:
    """Makes calls of two parties and lets them end."""

    def __init__(self, account: Account, sessions: Sessions) -> None:
        self._account = account
        self._sessions = sessions

    def dial(
        self, extension: Extension, number: str, name: str | None, device: Device | None = None, *, origin: str = "Call"
    ) -> Session:
        """Let an extension call somebody; its own leg is there, and nobody has been told."""
        device = device or next(iter(extension.devices), None)
        colleague = self._account.with_number(number)
        caller = End(
            extension.phone_number, extension.name, extension.extension_id, device.device_id if device else None
        )
        called = End(number, name or (colleague.name if colleague else None), _id_of(colleague))
        session = self._sessions.open(origin, extension.extension_id)
        self._leg(session, "Outbound", caller, called, extension)
        self._leg(session, "Inbound", caller, called, colleague)
        return session

    def ring(self, extension: Extension, number: str, name: str | None) -> Session:
        """Let somebody call an extension."""
        caller, called = End(number, name), End(extension.phone_number, extension.name, extension.extension_id)
        session = self._sessions.open("Call", extension.extension_id)
        self._leg(session, "Outbound", caller, called, None)
        self._leg(session, "Inbound", caller, called, extension)
        return session

    def _leg(self, session: Session, direction: str, caller: End, called: End, whose: Extension | None) -> None:
        party = Party(
            party_id=self._sessions.party_id(session),
            direction=direction,
            caller=caller,
            called=called,
            account_id=self._account.account_id,
            extension_id=_id_of(whose),
        )
        self._sessions.add(session, party)

    def begin(self, session: Session) -> None:
        """Let it ring."""
        first, second = session.parties.values()
        self._sessions.enter(session, first, Code.SETUP)
        self._sessions.enter(session, second, Code.SETUP)
        ringing = first if first.extension_id is not None else second
        self._sessions.enter(session, ringing, Code.PROCEEDING)

    def answer(self, session: Session) -> None:
        """Let it be picked up."""
        first, second = session.parties.values()
        self._sessions.enter(session, second, Code.ANSWERED)
        self._sessions.enter(session, first, Code.ANSWERED)

    def end(self, session: Session, reason: str | None = None) -> None:
        """Let it end for both."""
        for party in sorted(session.parties.values(), key=lambda one: one.extension_id == session.owner_id):
            if not party.ended:
                self._sessions.enter(session, party, Code.DISCONNECTED, reason)
        self._sessions.close(session)

    def set_hold(self, session: Session, party: Party, hold: bool) -> None:
        """Hold a leg or take it back.

        Errors: ApiError 409 for a leg that is not up.
        """
        if party.code not in UP:
            raise incorrect_state()
        self._sessions.enter(session, party, Code.HOLD if hold else Code.ANSWERED)

    def set_muted(self, session: Session, party: Party, muted: bool) -> None:
        """Move the API's switch; who is muted already is told of again."""
        party.muted = muted
        self._sessions.tell(session, party)


def _id_of(extension: Extension | None) -> str | None:
    return extension.extension_id if extension else None
