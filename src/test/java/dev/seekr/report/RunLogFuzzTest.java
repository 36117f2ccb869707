package dev.seekr.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.nio.file.Path;
import java.util.List;

/** Every event has a kind, and the last of each is found. */
class RunLogFuzzTest extends FuzzTarget {
  RunLogFuzzTest() {
    super("log.jsonl", Exit.DATA);
  }

  @Override
  protected Object read(Path file) {
    List<JsonNode> events = RunLog.read(file);
    for (JsonNode event : events)
      sound(event.isObject() && event.path("event").isTextual(), event.toString());
    if (!events.isEmpty()) {
      String kind = events.getLast().get("event").textValue();
      sound(RunLog.last(events, kind).orElseThrow() == events.getLast(), "another last");
    }
    return events;
  }
}
