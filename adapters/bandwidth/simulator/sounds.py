"""Sounds: a file or a sentence, to a whole conference or to one member by their call.

Inferred: every sound lasts the same time unless it is looped; another one ends the one before; both a file and a
          sentence at once are refused; to stop what is not playing is nothing for a conference, and for a member
          what it is for calls, 403 call-audio-invalid-state.
"""

from dataclasses import dataclass

from .calls import Call
from .conferences import Conference
from .failures import ApiError, bad_value, missing
from .given import Given
from .notices import SoundNotice, Tell
from .timers import Timer, Timers

LONGEST_SENTENCE = 1_000


@dataclass(slots=True)
class _Sound:
    hearer: Conference | Call
    is_sentence: bool
    tag: str | None
    end: Timer | None = None


class Sounds:
    """What is playing where.

    Units: `lasts_s` is how long a sound lasts.
    """

    def __init__(self, timers: Timers, tell: Tell, lasts_s: float) -> None:
        self._timers = timers
        self._tell = tell
        self._lasts_s = lasts_s
        self._playing: dict[str, _Sound] = {}

    def asked(self, hearer: Conference | Call, given: Given) -> None:
        """Play, speak or stop, as a client wants it.

        Errors: ApiError.
        """
        file_url, sentence = given.fields.get("fileUrl"), given.text("sentence")
        if file_url is None and sentence is None:
            raise missing("fileUrl")
        if file_url is not None and sentence is not None:
            raise bad_value("sentence", "missing where fileUrl is given")
        if len(sentence or "") > LONGEST_SENTENCE:
            raise bad_value("sentence", f"no longer than {LONGEST_SENTENCE}")
        if "" in (file_url, sentence):
            self._stop_asked(hearer)
            return
        if sentence is None:
            given.url("fileUrl")
        self._play(_Sound(hearer, sentence is not None, given.text("tag")), looped=given.flag("loopEnabled", False))

    def stop(self, hearer: Conference | Call) -> bool:
        """Let it be quiet, and tell whether it was not."""
        sound = self._playing.pop(_key(hearer), None)
        if sound is None:
            return False
        if sound.end is not None:
            sound.end.cancel()
        self._say(sound, "done")
        return True

    def _stop_asked(self, hearer: Conference | Call) -> None:
        if not self.stop(hearer) and isinstance(hearer, Call):
            message = (
                f"The audio for call {hearer.call_id} could not be updated. "
                "The audio has already finished or does not exist."
            )
            raise ApiError(403, "call-audio-invalid-state", message)

    def _play(self, sound: _Sound, *, looped: bool) -> None:
        self.stop(sound.hearer)
        self._playing[_key(sound.hearer)] = sound
        self._say(sound, "started")
        if not looped:
            sound.end = self._timers.after(self._lasts_s, lambda: self.stop(sound.hearer))

    def _say(self, sound: _Sound, status: str) -> None:
        self._tell(SoundNotice(sound.hearer, sound.is_sentence, status, sound.tag))


def _key(hearer: Conference | Call) -> str:
    return hearer.call_id if isinstance(hearer, Call) else hearer.conference_id
