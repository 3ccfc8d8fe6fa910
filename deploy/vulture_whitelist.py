"""Names that vulture finds no use of, each with its reason; ``make lint`` fails for every other one.

What frameworks call by decorator or by naming convention is listed in ``[tool.vulture]`` of ``pyproject.toml``.
"""

# ruff: noqa: B018, F821 - the file is read by vulture and never run

# Commands: ``app.command_line`` imports them by name when they are asked for.
bench_command
calibrate_command
demo_command
evaluate_command
inspect_command
station_command
__doc__  # help of ``imageflow server``, whose text names the defaults

# Members of enumerations given on the command line or over the wire.
ENGLISH
JAPANESE
OVERLAY

# Methods of anomaly detection: ``inspection.anomaly.methods.registry`` imports them by name.
PadimMethod
PatchCoreMethod

# Module attributes loaded on first use (PEP 562).
__getattr__

# Attributes that a library reads and methods it calls: zipfile, Jinja2, torchvision, sqlite3, uvicorn.
create_system
filters
send_400_response
disconnected
max_message_size
current_component
external_attr
_has_ops
isolation_level
should_exit


# For consumer groups whose effects would count twice; tested with the outbox.
handle_once

# Columns and fields read in files, in JSON or over the wire, not by name in the code.
applied_at
ai_results
at_bound
checked_at
daily_trends
dark_share
bright_share
defect_analysis
defects_digest
enrolled_at
grpc_services
histogram_counts
histogram_edges
hold_count
released_by
human_verifications
inspection_context
last_seen_at
latency_ms
max_blur_px
max_bright_share
max_dark_share
max_moving_share
min_contrast
ng_count
ok_count
ok_rate
received_bytes
consumer_group
refused_at
events_waiting_s
retention_days
schema_version
threshold_held_out
threshold_models
token_type
total_inspections
total_pages

# The Python interface of sensor models described in docs/sensor.md.
feature_shift
rows_learned
score_row
threshold_at
with_threshold

# What only tests read: results of operations, what a widget shows, whether work is going on.
has_heatmap
has_image
heatmap_sha256
image_sha256
is_idle
session_status

# What only tests call: events as JSON, so that no event is published that could not leave the process.
from_json
to_json

# The colours that tests expect of the stream of their server.
BAR_COLOURS

# The pairs of colours whose contrast the tests check.
SHAPE_PAIRS
TEXT_PAIRS

# The seam of steps that run in services.
StepServices
bucket
deadline_s
object_key
processing_time_s

# Executions: columns, and what is read over the wire.
HIGH
LOW
component_title
decided_by
download_url
elapsed_time_ms
ended_at
estimated_remaining_ms
file_index
first_seen_at
step_status
restored_at
DISABLED

# Alerts and counts by day: columns, members, and what the features that raise alerts call.
MEDIUM
CRITICAL
hourly_ok_rate
current_ng_count
active_inspectors
hourly_total
hourly_hold_count
open_alerts
ng_fraction
lower_limit
upper_limit
centre_line
empty_days
cumulative
updated_by
acknowledged_by
delivered_at
given_up_at
deliveries
line_stopped

# Members of the answer of an AI inspection.
ai_result
heatmap_file_id
# Members of the sensor anomaly API: they travel.
anomalies
shifts
too_near_the_threshold
detect_on_loop
quarantined
newest_at
last_status
