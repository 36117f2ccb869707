package dev.seekr.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.seekr.Failure;
import dev.seekr.disk.Fields;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The tokens that are found in a text before SentencePiece sees it, as the files beside a
 * tokenizer.model name them: tokenizer_config.json, or in older folders special_tokens_map.json and
 * added_tokens.json.
 *
 * @param byId the tokens
 * @param legacy every part of a text between such tokens has a blank put before it, not the first
 *     alone
 * @param prefix a blank is put before a text, where {@code legacy} is false
 * @param first the token that programs put before a text; null: none
 */
record SpecialTokens(Map<Integer, Token> byId, boolean legacy, boolean prefix, String first) {
  private static final List<String> ROLES =
      List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token");

  private static final String MORE = "additional_special_tokens";
  private static final int MOST_ID = 1 << 24;

  /** A token, and whether blanks before and after it belong to it. */
  record Token(String content, boolean before, boolean after, boolean word, boolean special) {}

  /** Throws Failure (65) where these files contradict each other or {@code model}. */
  static SpecialTokens read(Path folder, SentencePiece model) {
    return new Reader(folder, model).read();
  }

  private static final class Reader {
    private final Path folder;
    private final Fields config, map, added;
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<Integer, Token> byId = new TreeMap<>();
    private final Map<String, Token> named = new LinkedHashMap<>();
    private String first;

    Reader(Path folder, SentencePiece model) {
      this.folder = folder;
      config = fields("tokenizer_config.json");
      map = fields("special_tokens_map.json");
      added = fields("added_tokens.json");
      for (int id = 0; id < model.pieces().size(); id++) ids.put(model.pieces().get(id).text(), id);
    }

    private Fields fields(String name) {
      Path file = folder.resolve(name);
      return Files.exists(file)
          ? Fields.read(file)
          : new Fields(JsonNodeFactory.instance.objectNode(), file.toString());
    }

    SpecialTokens read() {
      boolean decoder = config.has("added_tokens_decoder");
      if (decoder) {
        Fields tokens = config.section("added_tokens_decoder");
        for (var entry : tokens.json().properties())
          put(id(tokens, entry.getKey()), token(tokens, entry.getKey(), false));
      }
      for (String role : ROLES) role(role, decoder);
      for (Fields source : decoder ? List.of(config) : List.of(config, map)) more(source);
      if (!decoder)
        for (var entry : added.json().properties()) {
          String content = entry.getKey();
          Token same = named.get(content);
          boolean special = same != null;
          put(
              added.whole(content, 0, MOST_ID),
              special ? same : new Token(content, false, false, false, false));
        }
      Set<String> known = new LinkedHashSet<>();
      byId.values().forEach(token -> known.add(token.content));
      for (Token token : named.values())
        if (known.add(token.content)) put(idOf(token.content), token);
      return new SpecialTokens(
          byId,
          config.flag("legacy", true),
          config.flag("add_prefix_space", true),
          config.flag("add_bos_token", true) && first != null ? first : null);
    }

    /** LLaMA's own names stand for what no file names. */
    private void role(String role, boolean decoder) {
      Fields from = config.has(role) ? config : !decoder && map.has(role) ? map : null;
      Token token = null;
      if (from != null) {
        token = token(from, role, true);
      } else {
        String usual =
            switch (role) {
              case "bos_token" -> "<s>";
              case "eos_token" -> "</s>";
              case "unk_token" -> "<unk>";
              default -> null;
            };
        if (usual != null && ids.containsKey(usual) && !config.json().has(role))
          token = new Token(usual, false, false, false, true);
      }
      if (token == null || token.content.isEmpty()) return;
      named.putIfAbsent(token.content, token);
      if (role.equals("bos_token")) first = token.content;
    }

    private void more(Fields source) {
      if (!source.has(MORE)) return;
      JsonNode list = source.json().path(MORE);
      if (!list.isArray()) throw source.wrong(MORE, "a list of tokens");
      for (JsonNode item : list) {
        if (item.isTextual())
          named.putIfAbsent(
              item.textValue(), new Token(item.textValue(), false, false, false, true));
        else {
          Token token = token(new Fields(item, source.where() + ": " + MORE), true);
          named.putIfAbsent(token.content, token);
        }
      }
    }

    private static Token token(Fields fields, String name, boolean special) {
      if (fields.json().path(name).isTextual())
        return new Token(fields.text(name), false, false, false, special);
      return token(fields.section(name), special);
    }

    private static Token token(Fields token, boolean special) {
      return new Token(
          token.text("content"),
          token.flag("lstrip", false),
          token.flag("rstrip", false),
          token.flag("single_word", false),
          special || token.flag("special", false));
    }

    private static int id(Fields tokens, String text) {
      if (text.matches("\\d{1,8}")) {
        int id = Integer.parseInt(text);
        if (id <= MOST_ID) return id;
      }
      throw tokens.wrong(text, "an id from 0 to %d for its name".formatted(MOST_ID));
    }

    /** The piece's, or the next that is free. */
    private int idOf(String content) {
      Integer id = ids.get(content);
      if (id != null) return id;
      int next = ids.size();
      for (int used : byId.keySet()) next = Math.max(next, used + 1);
      return next;
    }

    private void put(int id, Token token) {
      Integer own = ids.get(token.content);
      boolean fits = own == null ? id >= ids.size() : own == id;
      Token other = byId.put(id, token);
      if (!fits || other != null && !other.content.equals(token.content))
        throw Failure.data(
            "%s: the token '%s' has id %d, which is that of another one",
            folder, token.content, id);
    }
  }

  /** Their texts. */
  List<String> contents() {
    var contents = new ArrayList<String>();
    byId.values().forEach(token -> contents.add(token.content));
    return contents;
  }
}
