package dev.seekr.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * The components of a tokenizer.json around its model, and the types of each that are known to be
 * harmless: with the fields below a type has been read and tried, and ends no process. What is not
 * listed is not let through.
 */
enum Stage {
  NORMALIZER(
      "normalizer",
      "normalizers",
      type("NFC", 3),
      type("NFD", 3),
      type("NFKC", 11),
      type("NFKD", 11),
      type("Lowercase", 2),
      type("ByteLevel", 2),
      type("StripAccents", 1).deleting(),
      type("Nmt", 1).deleting(),
      type("Strip", 1, Field.flag("strip_left"), Field.flag("strip_right")).deleting(),
      type(
              "BertNormalizer",
              6,
              Field.flag("clean_text"),
              Field.flag("handle_chinese_chars"),
              Field.flag("strip_accents").orNone(),
              Field.flag("lowercase"))
          .deleting(),
      type("Precompiled", 11, Field.charsmap("precompiled_charsmap")).deleting(),
      type("Prepend", o -> 1 + bytes(o, "prepend"), Field.text("prepend")),
      type("Replace", Stage::content, Field.match("pattern"), Field.anyText("content"))),

  PRE_TOKENIZER(
      "pre_tokenizer",
      "pretokenizers",
      type("BertPreTokenizer", 1),
      type("Whitespace", 1),
      type("WhitespaceSplit", 1),
      type("UnicodeScripts", 1),
      type("Digits", 1, Field.flag("individual_digits")),
      type("Punctuation", 1, Field.behavior("behavior").orNone()),
      type("CharDelimiterSplit", 1, Field.character("delimiter")),
      type("Split", 1, Field.regex("pattern"), Field.behavior("behavior"), Field.flag("invert")),
      byteLevel(),
      metaspace()),

  /** It would add special tokens, which is not asked for: the library is given none. */
  POST_PROCESSOR(
      "post_processor",
      "processors",
      type("TemplateProcessing", 1),
      type("BertProcessing", 1),
      type("RobertaProcessing", 1),
      type("ByteLevel", 1)),

  DECODER(
      "decoder",
      "decoders",
      type("ByteFallback", 1),
      type("Fuse", 1),
      byteLevel(),
      metaspace(),
      type("WordPiece", 2, Field.anyText("prefix"), Field.flag("cleanup")),
      type("BPEDecoder", 2, Field.text("suffix")),
      type(
          "CTC",
          2,
          Field.text("pad_token"),
          Field.text("word_delimiter_token"),
          Field.flag("cleanup")),
      type("Replace", Stage::content, Field.literal("pattern"), Field.anyText("content")),
      // What it cuts off the end of a token must not be all of it.
      type("Strip", 1, Field.character("content"), Field.count("start"), Field.zero("stop")));

  static final String SEQUENCE = "Sequence";

  final String field;

  /** The field of a sequence that holds its members. */
  final String members;

  private final List<Type> types;

  Stage(String field, String members, Type... types) {
    this.field = field;
    this.members = members;
    this.types = List.of(types);
  }

  /**
   * A type of component.
   *
   * @param growth how many times as many bytes a text may have afterwards
   * @param deletes whether a text may be empty afterwards, whatever its fields
   */
  record Type(String name, ToDoubleFunction<JsonNode> growth, boolean deletes, List<Field> fields) {
    private Type deleting() {
      return new Type(name, growth, true, fields);
    }
  }

  /** Throws Failure when it is not listed. */
  Type type(JsonNode component, JsonPlace place) {
    JsonNode name = component.path("type");
    for (Type t : types) {
      if (name.isTextual() && t.name.equals(name.textValue())) return t;
    }
    var known = new ArrayList<>(types.stream().map(Type::name).toList());
    known.add(SEQUENCE);
    throw place.failure(
        "expected a type among %s, found %s",
        String.join(", ", known), JsonPlace.shown(component.isObject() ? name : component));
  }

  private static Type type(String name, double growth, Field... fields) {
    return type(name, _ -> growth, fields);
  }

  private static Type type(String name, ToDoubleFunction<JsonNode> growth, Field... fields) {
    return new Type(name, growth, false, List.of(fields));
  }

  private static Type byteLevel() {
    return type(
        "ByteLevel",
        o -> o.path("add_prefix_space").asBoolean() ? 4 : 2,
        Field.flag("add_prefix_space"),
        Field.flag("trim_offsets"),
        Field.flag("use_regex").orNone());
  }

  private static Type metaspace() {
    return type(
        "Metaspace",
        o -> 2 * bytes(o, "replacement"),
        Field.character("replacement"),
        Field.flag("add_prefix_space").orNone(),
        Field.scheme("prepend_scheme").orNone(),
        Field.flag("split").orNone());
  }

  private static double bytes(JsonNode object, String field) {
    return object.path(field).asText().getBytes(StandardCharsets.UTF_8).length;
  }

  /** Of a replacement for at least one byte. */
  private static double content(JsonNode object) {
    return Math.max(1, bytes(object, "content"));
  }
}
