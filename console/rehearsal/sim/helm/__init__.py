"""A stand-in for helm where there is none: helm's verbs, JSON, records and exit codes, for simple charts."""
