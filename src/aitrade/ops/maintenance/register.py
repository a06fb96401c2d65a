"""Which class does which task of the table; classes are imported when they are asked for, so that each starts fast."""

from importlib import import_module

from aitrade.core.errors import Refused
from aitrade.ops.maintenance.task import Task

_HERE = "aitrade.ops.maintenance"
CLASSES = {
    "backup_database": "backups:DailyBackup",
    "cleanup_old_logs": "old_logs:OldLogs",
    "produce_daily_reports": "reporting:DailyReports",
    "validate_system_health": "checkups:SystemHealthCheck",
    "analyze_performance": "reporting:WeeklyAnalysis",
    "checkpoint_models": "backups:ModelCheckpoint",
    "optimize_caches": "caches:OptimizeCaches",
    "scan_security": "security:SecurityScan",
    "perform_full_backup": "backups:FullBackup",
    "produce_compliance_report": "reporting:ComplianceReport",
    "audit_system": "checkups:SystemAudit",
    "update_ai_models": "models:UpdateModels",
    "optimize_database": "databases:OptimizeDatabases",
    "memory_leak": "emergencies:MemoryLeak",
    "api_failure": "emergencies:ApiFailure",
    "performance_degradation": "emergencies:PerformanceDegradation",
}
"""Task to its class."""


def task_named(name: str) -> Task:
    """Return a task; raise Refused for a name that there is not."""
    if name not in CLASSES:
        raise Refused(f"There is no maintenance task {name}; there are: {', '.join(CLASSES)}.")
    module, cls = CLASSES[name].split(":")
    task: Task = getattr(import_module(f"{_HERE}.{module}"), cls)()
    return task
