"""Pages of SM711 to SM716; see `pages` for the form."""

PAGES = r"""
== SM711
Only a distributed Map reads its items from S3, batches them, tolerates failures or has a Label.
-- bad
StartAt: A
States:
  A:
    Type: Map
    Label: orders
    ItemProcessor: {StartAt: B, States: {B: {Type: Pass, End: true}}}
    End: true
-- good
StartAt: A
States:
  A:
    Type: Map
    Label: orders
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true

== SM712
The items of a distributed Map run as executions of their own, of the type that ExecutionType says; those of an inline
Map do not.
-- bad
StartAt: A
States:
  A:
    Type: Map
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true
-- good
StartAt: A
States:
  A:
    Type: Map
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true
== SM713
A Label becomes a part of ARNs: it has no blanks and none of the characters that names cannot have.
-- bad
StartAt: A
States:
  A:
    Type: Map
    Label: "my orders"
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true
-- good
StartAt: A
States:
  A:
    Type: Map
    Label: my-orders
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true

== SM714
A Label names one Map of the definition.
-- bad
StartAt: A
States:
  A:
    Type: Map
    Label: orders
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    Next: C
  C:
    Type: Map
    Label: orders
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: D
      States: {D: {Type: Pass, End: true}}
    End: true
-- good
StartAt: A
States:
  A:
    Type: Map
    Label: orders
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true

== SM715
What a ReaderConfig says must fit together: CSV needs CSVHeaderLocation, CSVHeaders stand with GIVEN, an ItemsPointer
with JSON.
-- bad
StartAt: A
States:
  A:
    Type: Map
    ItemReader:
      Resource: arn:aws:states:::s3:getObject
      ReaderConfig: {InputType: CSV, CSVHeaderLocation: GIVEN}
      Parameters: {Bucket: b, Key: k}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true
-- good
StartAt: A
States:
  A:
    Type: Map
    ItemReader:
      Resource: arn:aws:states:::s3:getObject
      ReaderConfig: {InputType: CSV, CSVHeaderLocation: GIVEN, CSVHeaders: [id]}
      Parameters: {Bucket: b, Key: k}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true

== SM716
Items come from an object or a listing of S3, and results go to S3; no other resource can do it.
-- bad
StartAt: A
States:
  A:
    Type: Map
    ItemReader: {Resource: "arn:aws:states:::s3:putObject", Parameters: {Bucket: b, Key: k}}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true
-- good
StartAt: A
States:
  A:
    Type: Map
    ItemReader: {Resource: "arn:aws:states:::s3:getObject", Parameters: {Bucket: b, Key: k}}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true

== SM717
An ItemsPointer leads to the items inside a JSON file, as a JSON Pointer (RFC 6901): empty for the whole file, else a /
before each name on the way. It is no path of JSONPath.
-- bad
StartAt: A
States:
  A:
    Type: Map
    ItemReader:
      Resource: arn:aws:states:::s3:getObject
      ReaderConfig: {InputType: JSON, ItemsPointer: orders.lines}
      Parameters: {Bucket: b, Key: k}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true
-- good
StartAt: A
States:
  A:
    Type: Map
    ItemReader:
      Resource: arn:aws:states:::s3:getObject
      ReaderConfig: {InputType: JSON, ItemsPointer: /orders/lines}
      Parameters: {Bucket: b, Key: k}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true

== SM718
What is read from S3 or written to it needs a Bucket; reading a file (s3:getObject) needs its Key too. Without them the
Map fails as soon as it starts.
-- bad
StartAt: A
States:
  A:
    Type: Map
    ItemReader:
      Resource: arn:aws:states:::s3:getObject
      Parameters: {Bucket: orders}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true
-- good
StartAt: A
States:
  A:
    Type: Map
    ItemReader:
      Resource: arn:aws:states:::s3:getObject
      Parameters: {Bucket: orders, Key.$: $.key}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: B
      States: {B: {Type: Pass, End: true}}
    End: true
"""
