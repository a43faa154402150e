"""What screens are drawn with: text, lines, tables, plots. It knows no section, dialog or screen."""
