package dev.seekr.disk;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.seekr.Failure;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The fields of a JSON object in a file that others may have written. A field is of the type and
 * within the bounds that are asked for, or it is a Failure (65) that names file and field: no
 * default takes the place of a value that is there. null counts as not there.
 *
 * @param where names the object in messages: the file, and the path in it
 */
public record Fields(JsonNode json, String where) {
  /** NaN and Infinity are read, as Python writes them, so that they can be refused by name. */
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  public Fields {
    if (!json.isObject()) throw Failure.data("%s: expected an object, found %s", where, cut(json));
  }

  /** Reads a file. Throws Failure: 66 where it cannot be read, 65 where it is no JSON object. */
  public static Fields read(Path file) {
    try {
      JsonNode json = JSON.readTree(Reading.text(file));
      return new Fields(json, file.toString());
    } catch (JsonProcessingException e) {
      var at = e.getLocation();
      throw Failure.data(
          "%s:%d: not JSON: %s", file, at == null ? 1 : at.getLineNr(), e.getOriginalMessage());
    }
  }

  public boolean has(String name) {
    return json.hasNonNull(name);
  }

  /** A whole number that must be there. */
  public int whole(String name, int least, int most) {
    JsonNode n = json.path(name);
    if (!n.isInt() || n.intValue() < least || n.intValue() > most)
      throw wrong(name, "a whole number from %d to %d".formatted(least, most));
    return n.intValue();
  }

  /** A whole number, or {@code otherwise} where there is none. */
  public int whole(String name, int least, int most, int otherwise) {
    return has(name) ? whole(name, least, most) : otherwise;
  }

  public long longWhole(String name) {
    JsonNode n = json.path(name);
    if (!n.canConvertToLong() || !n.isIntegralNumber()) throw wrong(name, "a whole number");
    return n.longValue();
  }

  /** A finite number that must be there. */
  public double number(String name) {
    JsonNode n = json.path(name);
    if (!n.isNumber() || !Double.isFinite(n.doubleValue())) throw wrong(name, "a finite number");
    return n.doubleValue();
  }

  /** A number above 0, finite also as a float, or {@code otherwise} where there is none. */
  public double positive(String name, double otherwise) {
    if (!has(name)) return otherwise;
    JsonNode n = json.path(name);
    float value = n.floatValue();
    if (!n.isNumber() || !(value > 0) || !Float.isFinite(value))
      throw wrong(name, "a positive, finite number");
    return n.doubleValue();
  }

  public boolean flag(String name, boolean otherwise) {
    if (!has(name)) return otherwise;
    if (!json.path(name).isBoolean()) throw wrong(name, "true or false");
    return json.path(name).booleanValue();
  }

  public String text(String name) {
    if (!json.path(name).isTextual()) throw wrong(name, "a text");
    return json.path(name).textValue();
  }

  public Fields section(String name) {
    if (!json.path(name).isObject()) throw wrong(name, "an object");
    return new Fields(json.path(name), where + ": " + name);
  }

  /** The objects of a list. */
  public List<Fields> sections(String name) {
    var list = new ArrayList<Fields>();
    if (!json.path(name).isArray()) throw wrong(name, "a list");
    for (JsonNode item : json.path(name))
      list.add(new Fields(item, "%s: %s[%d]".formatted(where, name, list.size())));
    return list;
  }

  /** A list of whole numbers within bounds; a single number counts as a list of one. */
  public int[] wholes(String name, int least, int most) {
    return wholes(json.path(name), name, least, most);
  }

  /** A list of lists of whole numbers within bounds. */
  public int[][] lists(String name, int least, int most) {
    if (!json.path(name).isArray()) throw wrong(name, "a list of lists");
    int[][] all = new int[json.path(name).size()][];
    for (int i = 0; i < all.length; i++) {
      JsonNode inner = json.path(name).get(i);
      if (!inner.isArray()) throw wrong(name, "a list of lists");
      all[i] = wholes(inner, name, least, most);
    }
    return all;
  }

  private int[] wholes(JsonNode list, String name, int least, int most) {
    var nodes = new ArrayList<JsonNode>();
    if (list.isArray()) list.forEach(nodes::add);
    else nodes.add(list);
    int[] values = new int[nodes.size()];
    for (int i = 0; i < values.length; i++) {
      JsonNode n = nodes.get(i);
      if (!n.isInt() || n.intValue() < least || n.intValue() > most)
        throw wrong(name, "whole numbers from %d to %d".formatted(least, most));
      values[i] = n.intValue();
    }
    return values;
  }

  /** Says what was expected of a field, and what was found. */
  public Failure wrong(String name, String expected) {
    JsonNode found = json.get(name);
    return Failure.data(
        "%s: %s is %s; expected %s", where, name, found == null ? "missing" : cut(found), expected);
  }

  static String cut(JsonNode node) {
    String text = node.isMissingNode() ? "nothing" : node.toString();
    return text.length() <= 60 ? text : text.substring(0, 60) + "...";
  }
}
