"""Inserting a row that another transaction may be inserting at the same moment."""

from __future__ import annotations

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from models.base import Base


def insert_if_absent(session: Session, record: Base) -> bool:
    """Insert a row unless one of the same key exists, and return whether it was inserted.

    Of two transactions that do so at once, the second waits.

    Args:
        session: the transaction; pending changes are not flushed by this call.
        record: a new record with all its values, not added to the session: load the row afterwards.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    values = {attribute.key: getattr(record, attribute.key) for attribute in inspect(type(record)).column_attrs}
    statement = insert(type(record)).values(values).on_conflict_do_nothing()
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1
