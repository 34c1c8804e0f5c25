"""What adapters still have to know after a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of notes."""
    op.create_table(
        "adapter_note",
        sa.Column("backend_id", sa.String(255), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("text", sa.String(4000), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("backend_id", "key", name="pk_adapter_note"),
    )


def downgrade() -> None:
    """Drop the table; adapters forget."""
    op.drop_table("adapter_note")
