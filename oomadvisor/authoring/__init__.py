"""What authors of rules work with: tests in rule files, reasons, a skeleton, reference pages, an editor's schema."""
