"""What can go wrong between us and the database.

StorageError
├── StorageUnavailable   it cannot be reached, is locked, or did not answer in time: worth trying again
└── ValueRefused         it answers, and will never take this value
"""


class StorageError(Exception):
    """The root of what this package raises; its text is fit for operators and holds no password."""


class StorageUnavailable(StorageError):
    """The database cannot be reached, is locked, or did not answer in time."""


class ValueRefused(StorageError):
    """The database answers, and will never take this value."""
