package dev.seekr.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.disk.ConfigFields;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * What stands beside a tokenizer.json, which alone says how texts are cut: tokenizer_config.json
 * and special_tokens_map.json. Other programs heed them; what would have them cut texts in another
 * way is refused.
 */
final class TokenizerNotes {
  private static final String CONFIG = "tokenizer_config.json", MAP = "special_tokens_map.json";

  /** The texts of special tokens; config.json has the ids that are used. */
  private static final String SPECIAL =
      """
      bos_token eos_token unk_token pad_token sep_token cls_token mask_token bos_token_id
      eos_token_id unk_token_id pad_token_id additional_special_tokens extra_special_tokens
      model_specific_special_tokens
      """;

  /** How texts are put together, padded, cut and shown, which settings say here. */
  private static final String USE =
      """
      add_bos_token add_eos_token chat_template response_schema use_default_system_prompt
      model_max_length max_length padding_side truncation_side truncation_strategy stride
      pad_to_multiple_of pad_token_type_id return_token_type_ids padding truncation model_input_names
      clean_up_tokenization_spaces spaces_between_special_tokens errors
      """;

  /** Of the program that wrote it; what it did then stands in tokenizer.json. */
  private static final String ORIGIN =
      """
      tokenizer_class model_type processor_class backend is_local local_files_only name_or_path
      special_tokens_map_file tokenizer_file vocab_file merges_file init_inputs legacy from_slow
      use_fast is_fast trust_remote_code add_prefix_space transformers_version vocab_size
      """;

  private TokenizerNotes() {}

  /**
   * Reads both where they are there.
   *
   * @param added tokens of the tokenizer.json with their ids
   */
  static void check(Path folder, Set<String> ignored, Map<String, Integer> added) {
    Path config = folder.resolve(CONFIG), map = folder.resolve(MAP);
    if (Files.exists(config)) {
      var fields = ConfigFields.read(config, ignored);
      fields.harmless(SPECIAL);
      fields.harmless(USE);
      fields.harmless(ORIGIN);
      fields.only("split_special_tokens do_lower_case fix_mistral_regex", false);
      fields.only("sp_model_kwargs", "{}");
      fields.only("added_tokens_decoder", (JsonNode tokens) -> agree(tokens, added));
      fields.end();
    }
    if (Files.exists(map)) {
      var fields = ConfigFields.read(map, ignored);
      fields.harmless(SPECIAL);
      fields.end();
    }
  }

  /** Whether each token, by its id, is one of tokenizer.json too: other programs add the rest. */
  private static boolean agree(JsonNode tokens, Map<String, Integer> added) {
    return tokens.properties().stream()
        .allMatch(
            t -> {
              Integer id = added.get(t.getValue().path("content").asText());
              return id != null && t.getKey().equals(id.toString());
            });
  }
}
