"""The window (综合窗口): its work list, the intake, the case page."""
