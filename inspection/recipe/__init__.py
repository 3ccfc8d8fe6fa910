"""What an item's inspection is, as pure values: pipeline, parameters, criteria, threshold and models.

The station, REST, sync push, executions, gRPC and the editor all ask here, so that they give the same answers.
"""
