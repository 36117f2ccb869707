package dev.seekr.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure;
import dev.seekr.disk.Fields;
import dev.seekr.disk.Reading;
import dev.seekr.jinja.Template;
import dev.seekr.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a model is talked to: conversations as the template that comes with it prints them, equal to
 * {@code apply_chat_template} of the Python library {@code transformers}. The tokens of an answer
 * are those that follow the question in the tokens of both.
 */
public final class ChatTemplate {
  private static final String FILE = "chat_template.jinja", CONFIG = "tokenizer_config.json";

  /** Names that templates know special tokens by. */
  private static final List<String> SPECIALS =
      List.of("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token");

  /** A text that no template changes. */
  private static final String ANY = "ANY";

  private final Template template;
  private final String name;
  private final Tokenizer tokenizer;
  private final Map<String, Object> specials = new LinkedHashMap<>();
  private String after; // what the template prints after an answer
  private int ends; // characters of it that are learnt: up to the token that ends an answer
  private int end; // that token

  private ChatTemplate(Template template, String name, Tokenizer tokenizer) {
    this.template = template;
    this.name = name;
    this.tokenizer = tokenizer;
  }

  /**
   * The template of a model folder, chat_template.jinja or the one in tokenizer_config.json.
   *
   * @param file holds the template; null: the folder does
   * @param bos the model's BOS id, where the tokenizer's files do not name one; below 0: none
   * @param eos the same of EOS
   * @throws Failure config (78) where there is none; input (66) or data (65) where it cannot be
   *     read, is wrong, or ends answers with nothing that could stop the model
   */
  public static ChatTemplate load(Path folder, Path file, Tokenizer tokenizer, int bos, int eos) {
    Path config = folder.resolve(CONFIG), own = folder.resolve(FILE);
    Fields fields = Files.exists(config) ? Fields.read(config) : null;
    Path from = file != null ? file : Files.exists(own) ? own : config;
    String source = from == config ? inside(fields) : Reading.text(from);
    if (source == null)
      throw Failure.config(
          "%s: has no chat template (%s, or chat_template in %s); set data.chat to the file of one",
          folder, FILE, CONFIG);
    var template =
        new ChatTemplate(Template.read(source, from.toString()), from.toString(), tokenizer);
    template.specials(fields, folder.resolve("special_tokens_map.json"), bos, eos);
    template.findEnd();
    return template;
  }

  /** One text, or a list of named ones, of which the default counts; null: none. */
  private static String inside(Fields fields) {
    if (fields == null) return null;
    JsonNode found = fields.json().path("chat_template");
    if (found.isTextual()) return found.textValue();
    for (JsonNode one : found)
      if (one.path("name").asText().equals("default") && one.path("template").isTextual())
        return one.path("template").textValue();
    return null;
  }

  private void specials(Fields config, Path map, int bos, int eos) {
    if (bos >= 0) specials.put("bos_token", tokenizer.decode(new int[] {bos}, false));
    if (eos >= 0) specials.put("eos_token", tokenizer.decode(new int[] {eos}, false));
    if (Files.exists(map)) specials(Fields.read(map).json());
    if (config != null) specials(config.json());
  }

  private void specials(JsonNode from) {
    for (String special : SPECIALS) {
      JsonNode token = from.path(special);
      JsonNode text = token.isObject() ? token.path("content") : token;
      if (text.isTextual()) specials.put(special, text.textValue());
    }
  }

  /** Learns from an answer that is known where answers end. */
  private void findEnd() {
    var question = List.of(new Message("user", ANY));
    String tail = tail(question, ANY, name);
    int from = tail.indexOf(ANY);
    if (from < 0) throw Failure.data("%s: does not print answers", name);
    after = tail.substring(from + ANY.length());
    for (int id : tokenizer.encode(after)) {
      String text = tokenizer.decode(new int[] {id}, false);
      boolean special = tokenizer.decode(new int[] {id}, true).isEmpty();
      if (text.isEmpty() || !special || !after.contains(text)) continue;
      end = id;
      ends = after.indexOf(text) + text.length();
      return;
    }
    throw Failure.data(
        "%s: ends answers with %s, which is no special token of the tokenizer; expected one, so that the model can stop",
        name, com.fasterxml.jackson.databind.node.TextNode.valueOf(after));
  }

  /** The token that ends an answer. */
  public int end() {
    return end;
  }

  /**
   * What an answer is generated from: all up to where it begins.
   *
   * @throws Failure data (65), with the example's place, where the template refuses it
   */
  public int[] prompt(Example example) {
    return tokenizer.encode(render(messages(example), true, example.where()));
  }

  /** The tokens of the answer and what ends it, as they follow {@link #prompt}. */
  public int[] answer(Example example) {
    List<Message> messages = messages(example);
    String tail = tail(messages, example.answer(), example.where());
    if (!tail.endsWith(after))
      throw Failure.data("%s: %s ends this answer as no other", example.where(), name);
    String said = tail.substring(0, tail.length() - after.length() + ends);
    String before = render(messages, true, example.where());
    int[] prompt = tokenizer.encode(before), both = tokenizer.encode(before + said);
    boolean follows =
        both.length > prompt.length
            && Arrays.equals(both, 0, prompt.length, prompt, 0, prompt.length);
    // Where a token would reach across, the answer's own are learnt: they follow what is generated
    // from.
    return follows ? Arrays.copyOfRange(both, prompt.length, both.length) : tokenizer.encode(said);
  }

  private static List<Message> messages(Example example) {
    var messages = new ArrayList<>(example.before());
    messages.add(new Message("user", example.prompt()));
    return messages;
  }

  /** What is printed for an answer, and after it. */
  private String tail(List<Message> messages, String answer, String where) {
    var all = new ArrayList<>(messages);
    all.add(new Message("assistant", answer));
    String before = render(messages, true, where), whole = render(all, false, where);
    if (whole.startsWith(before)) return whole.substring(before.length());
    throw Failure.data(
        "%s: %sprints a conversation otherwise once it is answered; expected it to begin the same",
        where, where.equals(name) ? "" : name + " ");
  }

  /** As transformers renders it; {@code generate} asks for the beginning of an answer. */
  String render(List<Message> messages, boolean generate, String where) {
    var list = new ArrayList<Object>();
    for (Message message : messages) {
      var map = new LinkedHashMap<String, Object>();
      map.put("role", message.role());
      map.put("content", message.text());
      list.add(map);
    }
    var variables = new LinkedHashMap<>(specials);
    variables.put("messages", list);
    variables.put("tools", null);
    variables.put("documents", null);
    variables.put("add_generation_prompt", generate);
    try {
      return template.render(variables);
    } catch (Failure failure) {
      throw where.equals(name) ? failure : Failure.data("%s: %s", where, failure.getMessage());
    }
  }
}
