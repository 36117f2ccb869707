package dev.seekr.disk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * The fields of a file that describes a model, of which none may pass unknown: it is read, or known
 * to be harmless, or may only have the value that does nothing; {@link #end} refuses all others by
 * name, but for those that the user has ignored. null counts as not there. A name that begins with
 * an underscore is a note of the program that wrote it, and harmless.
 */
public final class ConfigFields {
  /** Of fields that are refused. */
  private static final int SHOWN = 5;

  private enum Use {
    READ,
    HARMLESS,
    /** There with a value that would do something here. */
    NOT_DONE
  }

  /** What the sections of a file share. */
  private record Book(Set<String> ignored, Map<String, Use> uses, Map<String, JsonNode> open) {}

  private final Fields fields;
  private final String path; // of this section from the top, with a dot behind
  private final Book book;
  private final ObjectNode used;

  private ConfigFields(Fields fields, String path, Book book, ObjectNode used) {
    this.fields = fields;
    this.path = path;
    this.book = book;
    this.used = used;
  }

  /** Of a whole file; {@code ignored} are names from the top, as {@code rope_scaling.beta}. */
  public static ConfigFields of(Fields fields, Set<String> ignored) {
    var book = new Book(ignored, new HashMap<>(), new LinkedHashMap<>());
    return new ConfigFields(fields, "", book, fields.json().deepCopy());
  }

  /** Reads a file. Throws Failure: 66 where it cannot be read, 65 where it is no JSON object. */
  public static ConfigFields read(Path file, Set<String> ignored) {
    return of(Fields.read(file), ignored);
  }

  public String where() {
    return fields.where();
  }

  /** Whether it is there and not null. */
  public boolean has(String name) {
    return fields.has(name);
  }

  /** Whether it is there, though it may be null. */
  public boolean written(String name) {
    return fields.json().has(name);
  }

  /** Fields of this section that are objects. */
  public Set<String> sections() {
    var names = new TreeSet<String>();
    fields.json().properties().forEach(f -> addIf(f.getValue().isObject(), names, f.getKey()));
    return names;
  }

  public int whole(String name, int least, int most) {
    return read(name).whole(name, least, most);
  }

  /** As {@link Fields#whole}; a default that is taken is among what was {@link #used}. */
  public int whole(String name, int least, int most, int otherwise) {
    if (!has(name)) used.put(name, otherwise);
    return read(name).whole(name, least, most, otherwise);
  }

  public double positive(String name) {
    if (!has(name)) throw wrong(name, "a positive number");
    return read(name).positive(name, 0);
  }

  public double positive(String name, double otherwise) {
    if (!has(name)) used.put(name, otherwise);
    return read(name).positive(name, otherwise);
  }

  public boolean flag(String name, boolean otherwise) {
    if (!has(name)) used.put(name, otherwise);
    return read(name).flag(name, otherwise);
  }

  public String text(String name) {
    return read(name).text(name);
  }

  public String text(String name, String otherwise) {
    if (!has(name)) used.put(name, otherwise);
    return has(name) ? text(name) : otherwise;
  }

  /** A list of whole numbers within bounds, or a single one. */
  public int[] wholes(String name, int least, int most) {
    return read(name).wholes(name, least, most);
  }

  /** A list of texts. */
  public String[] texts(String name) {
    JsonNode list = read(name).json().path(name);
    if (!list.isArray()) throw wrong(name, "a list of texts");
    for (JsonNode item : list) if (!item.isTextual()) throw wrong(name, "a list of texts");
    var texts = new String[list.size()];
    Arrays.setAll(texts, i -> list.get(i).textValue());
    return texts;
  }

  /** An object, whose own fields must be known too. */
  public ConfigFields section(String name) {
    Fields inner = read(name).section(name);
    book.open.put(path + name, inner.json());
    return new ConfigFields(inner, path + name + ".", book, (ObjectNode) used.get(name));
  }

  /** These change nothing that is computed here, whatever they are; {@code names} by blanks. */
  public void harmless(String names) {
    for (String name : names.split("\\s+")) book.uses.putIfAbsent(path + name, Use.HARMLESS);
  }

  /**
   * What these would do is not done here: they must be this value, or absent; {@code names} by
   * blanks.
   */
  public void only(String names, Object value) {
    only(
        names,
        (JsonNode found) ->
            found.isNumber() && value instanceof Number n
                ? found.doubleValue() == n.doubleValue()
                : found.toString().equals(value.toString()));
  }

  /** The same, of values that {@code same} tells. */
  public void only(String names, Predicate<JsonNode> same) {
    for (String name : names.split("\\s+")) {
      if (!has(name)) continue;
      Use use = same.test(fields.json().path(name)) ? Use.HARMLESS : Use.NOT_DONE;
      book.uses.putIfAbsent(path + name, use);
    }
  }

  /** Says what was expected of a field, and what was found. */
  public Failure wrong(String name, String expected) {
    return fields.wrong(name, expected);
  }

  /**
   * Nothing more is read, of any section. Throws Failure (65) naming all that is not known or not
   * done here and not ignored, or (78) what cannot be ignored since it is heeded.
   */
  public void end() {
    var strange = new LinkedHashMap<String, JsonNode>();
    collect(fields.json(), "", strange);
    for (String name : book.ignored)
      if (book.uses.get(name) == Use.READ)
        throw Failure.config(
            "model.ignore: %s is read of %s, whose model would be another without it",
            name, where());
    strange.keySet().removeAll(book.ignored);
    if (strange.isEmpty()) return;
    var found = new StringJoiner(", ");
    strange.entrySet().stream()
        .limit(SHOWN)
        .forEach(s -> found.add(s.getKey() + " " + Fields.cut(s.getValue())));
    if (strange.size() > SHOWN) found.add("and %d more".formatted(strange.size() - SHOWN));
    throw Failure.data(
        "%s: %s: not heeded here, so that results may not be the model's; where that is meant,"
            + " model.ignore: [%s]",
        where(), found, String.join(", ", strange.keySet()));
  }

  /** The file as it was read: with the defaults that were taken, without what was ignored. */
  public ObjectNode used() {
    ObjectNode all = used.deepCopy();
    for (String name : book.ignored) {
      int dot = name.lastIndexOf('.');
      JsonNode section = dot < 0 ? all : all.at("/" + name.substring(0, dot).replace('.', '/'));
      if (section instanceof ObjectNode object) object.remove(name.substring(dot + 1));
    }
    return all;
  }

  private void collect(JsonNode object, String at, Map<String, JsonNode> strange) {
    for (var field : object.properties()) {
      String name = at + field.getKey();
      Use use = book.uses.get(name);
      if (book.open.containsKey(name)) collect(field.getValue(), name + ".", strange);
      else if (use == Use.NOT_DONE || use == null && !isNote(field.getKey(), field.getValue()))
        strange.put(name, field.getValue());
    }
  }

  private static boolean isNote(String name, JsonNode value) {
    return value.isNull() || name.startsWith("_");
  }

  private Fields read(String name) {
    book.uses.put(path + name, Use.READ);
    return fields;
  }

  private static void addIf(boolean holds, Set<String> names, String name) {
    if (holds) names.add(name);
  }
}
