"""The rule book: YAML becomes checked rules, durable-rules matches them, conclusions come out with their reasons."""
