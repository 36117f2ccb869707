package dev.seekr.general;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.seekr.Failure;
import dev.seekr.disk.Fields;
import dev.seekr.disk.Reading;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Files of one JSON object a line. */
final class JsonLines {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private JsonLines() {}

  /**
   * The objects of a file, at least one; blank lines are passed over. Throws Failure: 66 where it
   * cannot be read, 65 where a line is no object, by its number.
   */
  static List<Fields> read(Path file) {
    var objects = new ArrayList<Fields>();
    String[] lines = Reading.text(file).split("\n");
    for (int i = 0; i < lines.length; i++) {
      if (lines[i].isBlank()) continue;
      String where = file + ":" + (i + 1);
      try {
        objects.add(new Fields(JSON.readTree(lines[i]), where));
      } catch (JsonProcessingException e) {
        throw Failure.data("%s: expected a JSON object, found: %s", where, e.getOriginalMessage());
      }
    }
    if (objects.isEmpty()) throw Failure.data("%s: expected questions, found none", file);
    return objects;
  }
}
