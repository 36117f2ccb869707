package dev.seekr.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import dev.seekr.disk.Reading;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/**
 * YAML text as a tree whose every node knows where it was written, for messages. Jackson's own tree
 * keeps no places and lets the last of two equal keys win, so this reads its token stream.
 */
final class Yaml {
  /**
   * A value and the place it was written at, as messages name it: "run.yaml:12" or "override
   * 'train.lr=1'".
   */
  sealed interface Node {
    String at();
  }

  /** A mapping; the order of keys is the file's. */
  record Section(String at, Map<String, Node> entries) implements Node {}

  record Sequence(String at, List<Node> items) implements Node {}

  /** The text of a scalar and the kind of token that YAML took it for. */
  record Scalar(String at, JsonToken kind, String text) implements Node {}

  private static final YAMLFactory FACTORY = new YAMLFactory();

  /** Characters of a text that is read: the parser's time goes with the square of a value's. */
  static final int LONGEST = 1 << 18;

  private final YAMLParser parser;
  private final IntFunction<String> place;
  private final List<String> errors;

  private Yaml(YAMLParser parser, IntFunction<String> place, List<String> errors) {
    this.parser = parser;
    this.place = place;
    this.errors = errors;
  }

  /**
   * Reads one document; an empty one is an empty section. Adds what is wrong to {@code errors} and
   * returns what could be read.
   *
   * @param place names the place of a line, counted from 1
   */
  static Node parse(String text, IntFunction<String> place, List<String> errors) {
    if (text.length() > LONGEST) {
      errors.add(
          "%s: has %d characters; expected at most %d"
              .formatted(place.apply(1), text.length(), LONGEST));
      return new Section(place.apply(1), new LinkedHashMap<>());
    }
    try (YAMLParser parser = FACTORY.createParser(text)) {
      var yaml = new Yaml(parser, place, errors);
      if (parser.nextToken() == null) {
        return new Section(place.apply(1), new LinkedHashMap<>());
      }
      Node root = yaml.node("");
      if (parser.nextToken() != null) {
        errors.add(yaml.here() + ": a second YAML document; expected one");
      }
      return root;
    } catch (JsonProcessingException e) {
      errors.add(notYaml(e, place));
    } catch (IOException e) {
      throw new IllegalStateException("reading from a string cannot fail", e);
    }
    return new Section(place.apply(1), new LinkedHashMap<>());
  }

  private static String notYaml(JsonProcessingException e, IntFunction<String> place) {
    // Jackson's own location is where its parser stood, often a line before or after the problem.
    if (e.getCause() instanceof MarkedYAMLException marked && marked.getProblemMark() != null) {
      return place.apply(marked.getProblemMark().getLine() + 1)
          + ": not YAML: "
          + marked.getProblem();
    }
    int line = e.getLocation() == null ? 1 : Math.max(1, e.getLocation().getLineNr());
    return place.apply(line)
        + ": not YAML: "
        + e.getOriginalMessage().lines().findFirst().orElse("");
  }

  static boolean isNull(Node node) {
    return node instanceof Scalar scalar && scalar.kind() == JsonToken.VALUE_NULL;
  }

  private Node node(String path) throws IOException {
    String at = here();
    return switch (parser.currentToken()) {
      case START_OBJECT -> section(at, path);
      case START_ARRAY -> {
        var items = new ArrayList<Node>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          items.add(node(path));
        }
        yield new Sequence(at, items);
      }
      default -> scalar(at);
    };
  }

  private Section section(String at, String path) throws IOException {
    var entries = new LinkedHashMap<String, Node>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      String keyAt = here();
      String keyPath = Names.join(path, key);
      requireText(keyAt, key);
      parser.nextToken();
      // A section is placed where its key is: its own first token is already on the next line.
      Node value =
          switch (node(keyPath)) {
            case Section section -> new Section(keyAt, section.entries());
            case Sequence sequence -> new Sequence(keyAt, sequence.items());
            case Scalar scalar -> scalar;
          };
      Node first = entries.putIfAbsent(key, value);
      if (first != null) {
        errors.add("%s: '%s' is given twice, first at %s".formatted(keyAt, keyPath, first.at()));
      }
    }
    return new Section(at, entries);
  }

  private Scalar scalar(String at) throws IOException {
    if (parser.isCurrentAlias()) {
      errors.add("%s: aliases (*%s) are not supported".formatted(at, parser.getText()));
    }
    requireText(at, parser.getText());
    return new Scalar(at, parser.currentToken(), parser.getText());
  }

  /** Neither a file nor a path could hold another text. */
  private void requireText(String at, String text) {
    if (text.indexOf('\0') >= 0 || !Reading.isWhole(text))
      errors.add("%s: '%s' holds a zero byte or half of a character".formatted(at, text));
  }

  private String here() {
    return place.apply(parser.currentTokenLocation().getLineNr());
  }
}
