package dev.seekr.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What stands beside a tokenizer.json, and tokens for which a model has no row. */
class TokenizerNotesTest {
  @TempDir Path folder;

  @BeforeEach
  void tokenizer() {
    TokenizerJson.words("red", "blue")
        .with("pre_tokenizer", "{'type':'Whitespace'}")
        .with(
            "added_tokens",
            "["
                + TokenizerJson.added(3, "<s>", "special")
                + ","
                + TokenizerJson.added(4, "[PAD]")
                + "]")
        .in(folder);
  }

  private void write(String file, String json) throws IOException {
    Files.writeString(folder.resolve(file), json.replace('\'', '"'));
  }

  @Test
  void asBothVersionsOfTransformersWriteIt() throws IOException {
    write(
        "tokenizer_config.json",
        """
        {'add_bos_token':true,'add_eos_token':false,'add_prefix_space':null,
         'added_tokens_decoder':{'3':{'content':'<s>','special':true},'4':{'content':'[PAD]'}},
         'bos_token':'<s>','clean_up_tokenization_spaces':true,'extra_special_tokens':{},
         'legacy':true,'model_max_length':1e30,'tokenizer_class':'LlamaTokenizerFast',
         'chat_template':'{{ x }}','sp_model_kwargs':{}}
        """);
    write("special_tokens_map.json", "{'bos_token':{'content':'<s>'},'pad_token':'[PAD]'}");
    try (var t = Tokenizer.load(folder)) {
      assertThat(t.encode("red <s> blue")).containsExactly(1, 3, 2);
    }
    write(
        "tokenizer_config.json",
        """
        {'backend':'tokenizers','is_local':true,'local_files_only':false,'model_max_length':1e30,
         'tokenizer_class':'TokenizersBackend','pad_token':'[PAD]'}
        """);
    Tokenizer.load(folder).close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          tokenizer_config.json   | {'do_lower_case':true} | do_lower_case true: not heeded here
          tokenizer_config.json   | {'split_special_tokens':true} | split_special_tokens true: not heeded here
          tokenizer_config.json   | {'auto_map':{'AutoTokenizer':'x'}} | auto_map
          tokenizer_config.json   | {'added_tokens_decoder':{'5':{'content':'<new>'}}} | added_tokens_decoder {"5":{"content":"<new>"}}: not heeded here
          tokenizer_config.json   | {'added_tokens_decoder':{'4':{'content':'<s>'}}} | added_tokens_decoder
          special_tokens_map.json | {'more':1} | more 1: not heeded here
          """)
  void whatIsNotKnown(String file, String json, String expected) throws IOException {
    write(file, json);
    assertThatThrownBy(() -> Tokenizer.load(folder))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageStartingWith(folder.resolve(file) + ": " + expected);
    String name = json.substring(2, json.indexOf('\'', 2));
    Tokenizer.load(folder, Set.of(name)).close();
  }

  @Test
  void anUnknownPartOfTheTokenizer() throws IOException {
    Path file = folder.resolve("tokenizer.json");
    String json = Files.readString(file);
    Files.writeString(file, json.replaceFirst("\\{", "{\"sampler\": 1, "));
    assertThatThrownBy(() -> Tokenizer.load(folder))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessage(
            file
                + ": sampler is no part of a tokenizer that is known; where it changes nothing,"
                + " model.ignore: [sampler]");
    Tokenizer.load(folder, Set.of("sampler")).close();
  }

  /** An added token that no text uses does no harm; the vocabulary's own any text may use. */
  @Test
  void tokensBeyondTheModel() {
    try (var t = Tokenizer.load(folder)) {
      t.within(4);
      assertThat(t.encode("red <s>")).containsExactly(1, 3);
      assertThatThrownBy(() -> t.encode("blue [PAD]"))
          .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
          .hasMessageContainingAll("a text has \"[PAD]\"", "id 4", "the model's 4 rows");
      assertThatThrownBy(() -> t.within(2))
          .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
          .hasMessageContaining("has 3 tokens, but config.json gives the embedding 2 rows");
    }
  }
}
