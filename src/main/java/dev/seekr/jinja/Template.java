package dev.seekr.jinja;

import dev.seekr.Failure;
import java.util.Map;

/**
 * A template of Jinja, read once and rendered as often as is asked for: the part of the language
 * that chat templates use, as the Python library {@code transformers} sets it up ({@code
 * trim_blocks}, {@code lstrip_blocks}). Loops, conditions, {@code set}, {@code namespace}, and the
 * filters, tests and methods of {@link Functions}; everything else is refused by name.
 *
 * <p>Templates come with models, from anywhere. They see texts, numbers, lists and maps only; names
 * are looked up in maps, never by reflection, and steps, texts and nesting are bounded.
 */
public final class Template {
  private final String name;
  private final Statements.Statement all;

  private Template(String name, Statements.Statement all) {
    this.name = name;
    this.all = all;
  }

  /**
   * Reads a template.
   *
   * @param name the file, for messages
   * @throws Failure data (65) with the line, where it is wrong or uses what is not known here
   */
  public static Template read(String source, String name) {
    try {
      return new Template(name, Statements.read(source));
    } catch (Fault fault) {
      throw failure(name, fault);
    }
  }

  /**
   * What it prints.
   *
   * @param variables of String, Long, Double, Boolean, null, List and Map of the same
   * @throws Failure data (65) with the line, where it raises an exception or computes what it may
   *     not
   */
  public String render(Map<String, Object> variables) {
    var out = new StringBuilder();
    try {
      all.run(new Frame(variables), out);
    } catch (Fault fault) {
      throw failure(name, fault);
    } catch (StackOverflowError e) { // chains of operators, and lists in lists that a loop made
      throw Failure.data("%s: computes what is nested too deep", name);
    }
    return out.toString();
  }

  private static Failure failure(String name, Fault fault) {
    return Failure.data("%s:%s", name, fault.getMessage());
  }
}
