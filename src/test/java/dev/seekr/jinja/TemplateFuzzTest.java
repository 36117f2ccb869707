package dev.seekr.jinja;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.disk.Reading;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A chat template, which prints a conversation with and without the beginning of an answer: texts
 * that can be written again, and nothing happens to the conversation.
 */
class TemplateFuzzTest extends FuzzTarget {
  TemplateFuzzTest() {
    super("chat_template.jinja", Exit.DATA);
  }

  /** A template is a program: what it computes of is bounded, but not by its length. */
  @Override
  protected long always() {
    return 4L << 30;
  }

  private static List<Object> conversation() {
    return List.of(
        message("system", "Be brief."),
        message("user", " 2 < 3?\n"),
        message("assistant", "<think>\nWell…\n</think>\n\nYes 😀"),
        message("user", "Why?"));
  }

  private static Map<String, Object> message(String role, String content) {
    var message = new LinkedHashMap<String, Object>();
    message.put("role", role);
    message.put("content", content);
    return message;
  }

  @Override
  protected Object read(Path file) {
    var template = Template.read(Reading.text(file), file.toString());
    var variables = new LinkedHashMap<String, Object>();
    variables.put("bos_token", "<s>");
    variables.put("eos_token", "</s>");
    variables.put("tools", null);
    var messages = conversation();
    variables.put("messages", messages);
    String all = "";
    for (boolean generate : new boolean[] {false, true}) {
      variables.put("add_generation_prompt", generate);
      String text = template.render(variables);
      sound(StandardCharsets.UTF_8.newEncoder().canEncode(text), "half a character");
      sound(messages.equals(conversation()), "the conversation is another");
      all += "\0" + text;
    }
    return all;
  }
}
