"""The groups of ``imageflow admin``: users, devices, enrolment codes and API keys."""
