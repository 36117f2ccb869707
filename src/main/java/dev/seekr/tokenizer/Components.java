package dev.seekr.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * The components of one stage, read and checked. The library ends the process at much that it does
 * not expect, so it is given what is written here anew: known types with known fields alone, and of
 * sequences in sequences one, since it does not bear deep nesting either.
 */
final class Components {
  /** No known tokenizer has more than ten. */
  private static final int MOST = 32;

  private static final double MOST_GROWTH = 1000;

  /** How often the pattern that ByteLevel brings itself is tried, for each character. */
  private static final double BYTE_LEVEL_ATTEMPTS = 2;

  private final Stage stage;
  private final List<ObjectNode> members = new ArrayList<>();

  /** How many times as many bytes a text may have afterwards. */
  private double growth = 1;

  /** How often a pattern may be tried from one place, for each character of the text. */
  private double attempts = 1;

  private boolean rescans, deletes;

  private Components(Stage stage) {
    this.stage = stage;
  }

  /**
   * Reads the field of {@code stage}; absent and null are no components. Throws Failure naming what
   * is not known or not harmless.
   */
  static Components read(Stage stage, JsonNode tokenizer, JsonPlace top) {
    var components = new Components(stage);
    JsonNode component = tokenizer.path(stage.field);
    if (!component.isMissingNode() && !component.isNull())
      components.add(component, top.in(stage.field));
    return components;
  }

  private void add(JsonNode component, JsonPlace place) {
    if (component.path("type").asText().equals(Stage.SEQUENCE)) {
      JsonNode list = component.path(stage.members);
      if (!list.isArray()) throw place.in(stage.members).expected("an array", list);
      for (int i = 0; i < list.size(); i++) add(list.get(i), place.at(i));
      return;
    }
    Stage.Type type = stage.type(component, place);
    place = place.named(type.name());
    if (members.size() == MOST) throw place.failure("expected at most %d components", MOST);
    ObjectNode copy = JsonNodeFactory.instance.objectNode().put("type", type.name());
    for (Field field : type.fields()) {
      JsonNode value = component.path(field.name());
      if (field.optional() && (value.isMissingNode() || value.isNull())) continue;
      if (!field.accepts().test(value))
        throw place.in(field.name()).expected(field.expected(), value);
      if (field.pattern() != Field.Kind.NONE) pattern(value, field.pattern(), place);
      copy.set(field.name(), value);
    }
    members.add(copy);
    count(type, copy, place);
  }

  private void pattern(JsonNode pattern, Field.Kind kind, JsonPlace place) {
    if (!pattern.has("Regex")) return;
    String text = pattern.path("Regex").textValue();
    try {
      Regex.Group regex = Regex.parse(text);
      if (kind == Field.Kind.MATCH && Regex.matchesNothing(regex))
        throw new Regex.Unknown("it can match nothing at all");
      RegexCost cost = RegexCost.of(regex);
      attempts = Math.max(attempts, cost.attempts());
      rescans |= cost.rescans();
    } catch (Regex.Unknown e) {
      throw place.failure(
          "the pattern %s may take too long or is not known to be harmless: %s",
          JsonPlace.quoted(text), e.getMessage());
    }
  }

  private void count(Stage.Type type, ObjectNode component, JsonPlace place) {
    growth *= type.growth().applyAsDouble(component);
    if (growth > MOST_GROWTH) throw place.failure("a text may become too long, %.0f times", growth);
    deletes |= type.deletes() || component.path("content").asText("x").isEmpty();
    if (stage == Stage.PRE_TOKENIZER && type.name().equals("ByteLevel"))
      attempts = Math.max(attempts, BYTE_LEVEL_ATTEMPTS);
  }

  /** What the library is given. */
  JsonNode json() {
    var json = JsonNodeFactory.instance;
    if (members.isEmpty()) return json.nullNode();
    if (members.size() == 1) return members.getFirst();
    ObjectNode sequence = json.objectNode().put("type", Stage.SEQUENCE);
    sequence.putArray(stage.members).addAll(members);
    return sequence;
  }

  boolean isEmpty() {
    return members.isEmpty();
  }

  double growth() {
    return growth;
  }

  double attempts() {
    return attempts;
  }

  boolean rescans() {
    return rescans;
  }

  /** Whether of a text nothing may be left. */
  boolean deletes() {
    return deletes;
  }
}
