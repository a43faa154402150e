"""What kubectl and helm need of an API server beside objects: protobuf, tables, discovery, patches."""
