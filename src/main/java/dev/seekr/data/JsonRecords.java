package dev.seekr.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import dev.seekr.Failure;
import dev.seekr.data.RecordFile.Literal;
import dev.seekr.data.RecordFile.Sink;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;

/**
 * JSON: an array of records, a single one, or a record a line. NaN and Infinity are read, since
 * Python writes them.
 */
final class JsonRecords {
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  private JsonRecords() {}

  /**
   * @param kind jsonl and ndjson are lines; json is, where its first line is a whole object and
   *     more follows
   */
  static void read(Path file, String kind, Sink sink) throws IOException {
    boolean lines = kind != null && !kind.equals("json") || areLines(file);
    try (var in = RecordFile.text(file)) {
      if (lines) lines(in, sink);
      else values(file, in, sink);
    }
  }

  private static boolean areLines(Path file) throws IOException {
    try (var in = RecordFile.text(file)) {
      String first = nextLine(in);
      return first != null
          && first.stripLeading().startsWith("{")
          && isWhole(first)
          && nextLine(in) instanceof String second
          && second.stripLeading().startsWith("{");
    }
  }

  private static boolean isWhole(String line) throws IOException {
    try {
      value(line);
      return true;
    } catch (JsonProcessingException e) {
      return false;
    }
  }

  private static String nextLine(BufferedReader in) throws IOException {
    String line = in.readLine();
    while (line != null && line.isBlank()) line = in.readLine();
    return line;
  }

  private static void lines(BufferedReader in, Sink sink) throws IOException {
    int number = 0;
    for (String line; (line = in.readLine()) != null; ) {
      String place = "line " + ++number;
      if (line.isBlank()) continue;
      try {
        sink.record(place, value(line));
      } catch (JsonProcessingException e) {
        sink.bad(place, "expected one record in JSON, found: " + e.getOriginalMessage());
      }
    }
  }

  /** The one value that a text is. */
  private static Object value(String text) throws IOException {
    try (var json = JSON.createParser(text)) {
      json.nextToken();
      Object value = value(json);
      if (json.nextToken() != null)
        throw new com.fasterxml.jackson.core.JsonParseException(json, "more after its end");
      return value;
    }
  }

  private static void values(Path file, BufferedReader in, Sink sink) throws IOException {
    try (var json = JSON.createParser(in)) {
      JsonToken first = json.nextToken();
      if (first == JsonToken.START_OBJECT) sink.record("record 1", value(json));
      else if (first != JsonToken.START_ARRAY)
        throw Failure.data("%s: expected an array of records, found %s", file, found(json));
      else
        for (int n = 1; json.nextToken() != JsonToken.END_ARRAY; n++)
          sink.record("record " + n, value(json));
      if (json.nextToken() != null) {
        throw Failure.data(
            "%s:%d: expected nothing after the %s, found %s",
            file,
            json.currentTokenLocation().getLineNr(),
            first == JsonToken.START_ARRAY ? "array" : "object",
            found(json));
      }
    }
  }

  private static String found(JsonParser json) throws IOException {
    return switch (json.currentToken()) {
      case null -> "an empty file";
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "a string";
      default -> json.getText();
    };
  }

  /** The value at hand, to its end; numbers stay as they are written. */
  private static Object value(JsonParser json) throws IOException {
    return switch (json.currentToken()) {
      case START_OBJECT -> {
        var fields = new LinkedHashMap<String, Object>();
        while (json.nextToken() != JsonToken.END_OBJECT) {
          String name = json.currentName();
          json.nextToken();
          fields.put(name, value(json));
        }
        yield fields;
      }
      case START_ARRAY -> {
        var items = new ArrayList<Object>();
        while (json.nextToken() != JsonToken.END_ARRAY) items.add(value(json));
        yield items;
      }
      case VALUE_STRING -> json.getText();
      case VALUE_NULL -> null;
      case VALUE_NUMBER_INT -> new Literal(json.getText(), true);
      case VALUE_NUMBER_FLOAT -> new Literal(json.getText(), !json.isNaN());
      case null -> throw new com.fasterxml.jackson.core.JsonParseException(json, "nothing");
      default -> new Literal(json.getText(), false);
    };
  }
}
