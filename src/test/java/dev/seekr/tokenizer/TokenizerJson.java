package dev.seekr.tokenizer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Tokenizer files of tests, part by part; each part is JSON with ' for ". */
final class TokenizerJson {
  private final Map<String, String> parts = new LinkedHashMap<>();

  /** With a model of whole words: word i has id i, and what is no word has id 0. */
  static TokenizerJson words(String... words) {
    var vocab = new StringBuilder("'<unk>':0");
    for (int i = 0; i < words.length; i++)
      vocab.append(",'").append(words[i]).append("':" + (i + 1));
    return of("{'type':'WordLevel','unk_token':'<unk>','vocab':{" + vocab + "}}");
  }

  static TokenizerJson of(String model) {
    return new TokenizerJson().with("version", "'1.0'").with("model", model);
  }

  TokenizerJson with(String part, String json) {
    parts.put(part, json.replace('\'', '"'));
    return this;
  }

  /** One added token of all flags false but those named. */
  static String added(int id, String content, String... flags) {
    var token = new StringBuilder("{'id':%d,'content':'%s'".formatted(id, content));
    for (String flag : new String[] {"single_word", "lstrip", "rstrip", "normalized", "special"})
      token.append(",'%s':%s".formatted(flag, java.util.List.of(flags).contains(flag)));
    return token.append('}').toString();
  }

  Path in(Path folder) {
    var json = new StringBuilder();
    parts.forEach(
        (part, value) ->
            json.append(json.isEmpty() ? "{" : ",\n").append('"' + part + "\":" + value));
    try {
      return Files.writeString(folder.resolve("tokenizer.json"), json.append("}\n"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
