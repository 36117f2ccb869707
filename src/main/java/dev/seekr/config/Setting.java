package dev.seekr.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What there is to say of a setting: the one source of its default, its limits and its meaning. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface Setting {
  /** The default, as it would be written in YAML; null: none, {@link #means} says what then. */
  String is();

  /** What it may be beyond its type. */
  Limit limit() default Limit.ANY;

  /** What it was once set to and what that is now, as "true=layers"; both may be written. */
  String[] formerly() default {};

  /** Whether it may be changed while a run goes on: results do not depend on it. */
  boolean free() default false;

  /** What its number counts or is, as an axis says it; empty: nothing is said. */
  String unit() default "";

  /** What it does, with its unit, and what special values mean. */
  String means();
}
