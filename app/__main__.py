"""``python -m app`` is ``imageflow``, for processes that are started by the product itself."""

from app.command_line import main

main()
