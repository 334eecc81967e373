-- What came last, of all and of one source, without reading everything that ever came.
CREATE INDEX delivery_received ON delivery (received_at, id);
CREATE INDEX delivery_source ON delivery (source, received_at);
