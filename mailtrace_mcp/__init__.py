"""Where is my mail? Mail log tracing and test mails, over MCP and on the command line."""
