package dev.seekr.data;

import dev.seekr.Failure;
import dev.seekr.config.DataSettings;
import dev.seekr.config.DataSettings.Format;
import dev.seekr.data.RecordFile.Literal;
import dev.seekr.disk.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * How a record becomes examples, for the formats that data come in. Numbers count as text, and a
 * list of answers as several that are right.
 */
final class RecordFormat {
  private static final Set<String> NAMES = Set.of("prompt", "answer", "messages");

  private final Format format;
  private final Map<String, String> names;
  private final String instruction;
  private final boolean chat;

  /** What is wrong with a record, without its place. */
  private static final class Unfit extends Exception {
    Unfit(String message) {
      super(message);
    }
  }

  /** Throws Failure (78) where data.fields names what no record has. */
  RecordFormat(DataSettings data) {
    for (String name : data.fields().keySet())
      if (!NAMES.contains(name))
        throw Failure.config(
            "data.fields: unknown name '%s'; expected prompt and answer, or messages", name);
    boolean named = data.format() == Format.auto && !data.fields().isEmpty();
    Format own = data.fields().containsKey("messages") ? Format.messages : Format.pairs;
    format = named ? own : data.format();
    names = data.fields();
    instruction = data.instruction();
    chat = data.chats();
  }

  /**
   * The examples of one record, in its order.
   *
   * @param where file and place, as "train.jsonl: line 3"
   * @param bad gets what is wrong, with the place and the field
   */
  void read(String where, Object record, Consumer<Example> good, Consumer<String> bad) {
    try {
      if (!(record instanceof Map<?, ?> map))
        throw new Unfit("expected an object, found " + found(record));
      switch (format(map)) {
        case superni -> task(where, map, good, bad);
        case alpaca -> good.accept(instructed(where, map));
        case sharegpt -> conversation(where, map, "conversations", good);
        case messages -> conversation(where, map, "messages", good);
        case null, default -> good.accept(pair(where, map));
      }
    } catch (Unfit e) {
      bad.accept(where + ": " + e.getMessage());
    }
  }

  private Format format(Map<?, ?> record) throws Unfit {
    if (format != Format.auto) return format;
    Set<?> has = record.keySet();
    if (has.contains("prompt") && has.contains("answer")) return Format.pairs;
    if (has.contains("messages")) return Format.messages;
    if (has.contains("conversations")) return Format.sharegpt;
    if (has.contains("Instances")) return Format.superni;
    if (has.contains("instruction") && has.contains("output")) return Format.alpaca;
    if (has.contains("prompt") || has.contains("answer")) return Format.pairs;
    throw new Unfit(
        "expected fields prompt and answer, instruction and output, messages, conversations or Instances, found %s; data.fields={prompt: …, answer: …} names others"
            .formatted(fields(record)));
  }

  private Example pair(String where, Map<?, ?> record) throws Unfit {
    String prompt = joined(record, names.getOrDefault("prompt", "prompt"));
    return new Example(prompt, answers(record, names.getOrDefault("answer", "answer")), where);
  }

  /** Fields with + between them, one below the other. */
  private static String joined(Map<?, ?> record, String name) throws Unfit {
    if (record.containsKey(name) || !name.contains("+")) return text(record, name);
    var parts = new ArrayList<String>();
    for (String part : name.split("\\+")) parts.add(text(record, part.strip()));
    return String.join("\n", parts);
  }

  private Example instructed(String where, Map<?, ?> record) throws Unfit {
    String prompt = text(record, "instruction");
    boolean more = record.get("input") instanceof String input && !input.isBlank();
    if (more) prompt += "\n\n" + text(record, "input");
    return new Example(chat ? prompt : ended(prompt), answers(record, "output"), where);
  }

  /** An answer that follows needs something between. */
  private static String ended(String prompt) {
    boolean open = !Character.isWhitespace(prompt.charAt(prompt.length() - 1));
    return open ? prompt + "\n\n" : prompt;
  }

  /** Super-NaturalInstructions: a whole task in one record. */
  private void task(String where, Map<?, ?> record, Consumer<Example> good, Consumer<String> bad)
      throws Unfit {
    String before =
        switch (instruction) {
          case "none" -> "";
          case "definition" -> String.join("\n", answers(record, "Definition")) + "\n\n";
          default -> instruction + "\n\n";
        };
    if (!(record.get("Instances") instanceof List<?> instances))
      throw unfit(record, "Instances", "a list", record.get("Instances"));
    for (int i = 0; i < instances.size(); i++) {
      String place = where + ": instance " + (i + 1);
      try {
        if (!(instances.get(i) instanceof Map<?, ?> instance))
          throw new Unfit("expected an object, found " + found(instances.get(i)));
        String prompt = before + "Input: " + text(instance, "input") + "\nOutput: ";
        good.accept(new Example(prompt, answers(instance, "output"), place));
      } catch (Unfit e) {
        bad.accept(place + ": " + e.getMessage());
      }
    }
  }

  /** With a chat template each answer of a conversation is an example; without, there is one. */
  private void conversation(String where, Map<?, ?> record, String field, Consumer<Example> good)
      throws Unfit {
    String name = names.getOrDefault("messages", field);
    List<Message> turns = turns(record, name);
    int system = 0;
    while (system < turns.size() && turns.get(system).role().equals("system")) system++;
    int said = turns.size() - system;
    for (int i = 0; i < said; i++) {
      String expected = i % 2 == 0 ? "user" : "assistant";
      if (turns.get(system + i).role().equals(expected)) continue;
      throw unlike(
          name, "messages of user and assistant in turn, after those of the system", turns);
    }
    if (said == 0 || said % 2 != 0) throw unlike(name, "an answer at the end", turns);
    if (!chat && said > 2)
      throw unlike(name, "one message and its answer, without data.chat", turns);
    for (int i = system; i + 1 < turns.size(); i += 2) {
      var answer = List.of(turns.get(i + 1).text());
      if (chat) good.accept(new Example(turns.get(i).text(), answer, turns.subList(0, i), where));
      else good.accept(new Example(flat(turns.subList(0, i + 1)), answer, where));
    }
  }

  private static Unfit unlike(String name, String expected, List<Message> turns) {
    return new Unfit(
        "field '%s': expected %s, found %s"
            .formatted(
                name, expected, String.join(", ", turns.stream().map(Message::role).toList())));
  }

  /** Without a chat template texts stand below each other. */
  private static String flat(List<Message> turns) {
    return String.join("\n\n", turns.stream().map(Message::text).toList()) + "\n\n";
  }

  private static List<Message> turns(Map<?, ?> record, String name) throws Unfit {
    Object value = value(record, name);
    if (!(value instanceof List<?> list) || list.isEmpty())
      throw unfit(record, name, "a list of messages", value);
    var turns = new ArrayList<Message>();
    for (Object item : list) {
      if (!(item instanceof Map<?, ?> message)) throw unfit(record, name, "objects in it", item);
      String role = text(message, message.containsKey("role") ? "role" : "from");
      String text = text(message, message.containsKey("content") ? "content" : "value");
      turns.add(new Message(role(role), text));
    }
    return turns;
  }

  private static String role(String role) throws Unfit {
    return switch (role) {
      case "system", "user", "assistant" -> role;
      case "human" -> "user";
      case "gpt" -> "assistant";
      default ->
          throw new Unfit(
              "role '%s': expected system, user (human) or assistant (gpt)".formatted(role));
    };
  }

  private static List<String> answers(Map<?, ?> record, String name) throws Unfit {
    Object value = value(record, name);
    if (!(value instanceof List<?> list)) return List.of(text(record, name, value));
    if (list.isEmpty()) throw unfit(record, name, "text", value);
    var answers = new ArrayList<String>();
    for (Object item : list) answers.add(text(record, name, item));
    return answers.stream().distinct().toList();
  }

  private static String text(Map<?, ?> record, String name) throws Unfit {
    return text(record, name, value(record, name));
  }

  private static String text(Map<?, ?> record, String name, Object value) throws Unfit {
    if (value instanceof Literal number && number.number()) return number.text();
    if (!(value instanceof String text)) throw unfit(record, name, "text", value);
    if (!text.isBlank() && Reading.isWhole(text)) return text;
    String found = text.isEmpty() ? "an empty one" : "only white space";
    throw unfit(
        record, name, "text", new Literal(text.isBlank() ? found : "half of a character", false));
  }

  /** A field; a name with dots is looked for within others where no field is called so. */
  private static Object value(Map<?, ?> record, String name) {
    if (record.containsKey(name)) return record.get(name);
    int dot = name.indexOf('.');
    boolean within = dot > 0 && record.get(name.substring(0, dot)) instanceof Map<?, ?>;
    return within
        ? value((Map<?, ?>) record.get(name.substring(0, dot)), name.substring(dot + 1))
        : null;
  }

  private static Unfit unfit(Map<?, ?> record, String name, String expected, Object value) {
    boolean missing = value == null && !record.containsKey(name);
    return new Unfit(
        "field '%s': expected %s, found %s"
            .formatted(name, expected, missing ? "none among " + fields(record) : found(value)));
  }

  private static String fields(Map<?, ?> record) {
    return record.isEmpty()
        ? "no fields"
        : String.join(", ", record.keySet().stream().map(Object::toString).toList());
  }

  private static String found(Object value) {
    return switch (value) {
      case null -> "null";
      case Map<?, ?> _ -> "an object";
      case List<?> list -> list.isEmpty() ? "an empty list" : "a list";
      case String _ -> "a string";
      default -> value.toString();
    };
  }
}
