"""The first tables: secrets, idempotency, audit, conferences and attendance."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(255), nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "secret",
        _text("name"),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        _instant("created_at"),
        sa.PrimaryKeyConstraint("name", name="pk_secret"),
    )
    op.create_table(
        "idempotency",
        _text("tenant"),
        _text("subject"),
        _text("key"),
        _text("fingerprint"),
        _text("instance"),
        _instant("reserved_at"),
        _instant("expires_at"),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "subject", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_expires_at", "idempotency", ["expires_at"])
    _create_audit()
    _create_conference()
    _create_attendance()


def _create_audit() -> None:
    op.create_table(
        "audit",
        _text("id"),
        _instant("at"),
        _text("tenant"),
        _text("subject"),
        _text("backend_id"),
        _text("room_id", nullable=True),
        _text("participant_id", nullable=True),
        _text("command"),
        _text("outcome"),
        _text("error_code", nullable=True),
        sa.Column("duration_ms", sa.Float(), nullable=False),
        _text("address", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def _create_conference() -> None:
    op.create_table(
        "conference",
        _text("id"),
        _text("backend_id"),
        _text("room_id"),
        _text("run_id", nullable=True),
        _text("room_name", nullable=True),
        _instant("started_at", nullable=True),
        _instant("began_at"),
        _instant("ended_at", nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conference"),
    )
    op.create_index("ix_conference_began_at_id", "conference", ["began_at", "id"])
    op.create_index("ix_conference_backend_id_room_id_began_at", "conference", ["backend_id", "room_id", "began_at"])
    op.create_index("ix_conference_open_backend_id", "conference", ["open", "backend_id"])


def _create_attendance() -> None:
    op.create_table(
        "attendance",
        _text("id"),
        _text("conference_id"),
        _text("participant_id"),
        _text("display_name", nullable=True),
        _text("number", nullable=True),
        _text("username", nullable=True),
        _text("role", nullable=True),
        _instant("joined_at"),
        _instant("left_at", nullable=True),
        _text("leave_reason", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_attendance"),
        sa.ForeignKeyConstraint(["conference_id"], ["conference.id"], name="fk_attendance_conference_id"),
    )
    op.create_index("ix_attendance_conference_id_joined_at", "attendance", ["conference_id", "joined_at"])


def downgrade() -> None:
    """Drop all tables."""
    for table in ("attendance", "conference", "audit", "idempotency", "secret"):
        op.drop_table(table)
