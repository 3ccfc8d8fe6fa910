"""Names of records and their fields as a person reads them."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def entity_name(entity: str) -> str:
    """Return the name of a kind of record, in the language that is shown now; unknown ones as on the wire."""
    translate = QCoreApplication.translate
    names = {
        "target": translate("Record", "Target"),
        "item": translate("Record", "Inspection item"),
        "pipeline": translate("Record", "Pipeline"),
        "defect_class": translate("Record", "Kind of defect"),
        "model_file": translate("Record", "Model file"),
        "model_release": translate("Record", "Release of a model"),
        "line_stop": translate("Record", "Stop of the line"),
        "station_config": translate("Record", "Settings of stations"),
        "user": translate("Record", "User"),
        "inspection_session": translate("Record", "Inspection of a part"),
        "image": translate("Record", "Image"),
        "ai_result": translate("Record", "AI result"),
        "human_verification": translate("Record", "Human verification"),
        "audit_entry": translate("Record", "Entry of the audit trail"),
    }
    return names.get(entity, entity)


def field_name(name: str) -> str:
    """Return the name of a field, in the language that is shown now; unknown ones as on the wire."""
    translate = QCoreApplication.translate
    names = {
        "code": translate("Field", "Code"),
        "name": translate("Field", "Name"),
        "name_en": translate("Field", "English name"),
        "name_ja": translate("Field", "Japanese name"),
        "description": translate("Field", "Description"),
        "version": translate("Field", "Version"),
        "criteria": translate("Field", "Criteria"),
        "position": translate("Field", "Position"),
        "required": translate("Field", "Required"),
        "severity": translate("Field", "Severity"),
        "pipeline_id": translate("Field", "Pipeline"),
        "pipeline_parameters": translate("Field", "Parameters of the pipeline"),
        "definition": translate("Field", "Definition"),
        "settings": translate("Field", "Settings"),
        "username": translate("Field", "Username"),
        "display_name": translate("Field", "Displayed name"),
        "role": translate("Field", "Role"),
        "active": translate("Field", "Active"),
        "language": translate("Field", "Language"),
        "lot": translate("Field", "Lot"),
        "serial_number": translate("Field", "Serial number"),
        "status": translate("Field", "Status"),
        "verdict": translate("Field", "Verdict"),
        "comment": translate("Field", "Comment"),
        "created_at": translate("Field", "Created"),
        "updated_at": translate("Field", "Changed"),
        "deleted_at": translate("Field", "Deleted"),
    }
    return names.get(name, name)
