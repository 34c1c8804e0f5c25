"""Our words for conferences: rooms, participants, what backends report, what happened, what viewers ask for."""
