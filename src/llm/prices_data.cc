#include "llm/prices.h"

// List prices in US dollars per million tokens, as the providers published them up to 2025; a deployment overrides them
// with `prices:`. The first match wins, so a family's special members stand before the family.
namespace sluice::llm {

const std::vector<Price>& shipped_prices() {
  static const std::vector<Price> prices{
      // OpenAI
      {"gpt-5-pro*", 15, 120, {}, {}, {}, {}},
      {"gpt-5-mini*", 0.25, 2, 0.025, {}, {}, {}},
      {"gpt-5-nano*", 0.05, 0.4, 0.005, {}, {}, {}},
      {"gpt-5*", 1.25, 10, 0.125, {}, {}, {}},
      {"gpt-4.1-mini*", 0.4, 1.6, 0.1, {}, {}, {}},
      {"gpt-4.1-nano*", 0.1, 0.4, 0.025, {}, {}, {}},
      {"gpt-4.1*", 2, 8, 0.5, {}, {}, {}},
      {"gpt-4o-mini-audio*", 0.15, 0.6, {}, {}, 10, 20},
      {"gpt-4o-mini*", 0.15, 0.6, 0.075, {}, {}, {}},
      {"gpt-4o-audio*", 2.5, 10, {}, {}, 40, 80},
      {"gpt-4o*", 2.5, 10, 1.25, {}, {}, {}},
      {"gpt-4-turbo*", 10, 30, {}, {}, {}, {}},
      {"gpt-4*", 30, 60, {}, {}, {}, {}},
      {"gpt-3.5-turbo*", 0.5, 1.5, {}, {}, {}, {}},
      {"o4-mini*", 1.1, 4.4, 0.275, {}, {}, {}},
      {"o3-pro*", 20, 80, {}, {}, {}, {}},
      {"o3-mini*", 1.1, 4.4, 0.55, {}, {}, {}},
      {"o3*", 2, 8, 0.5, {}, {}, {}},
      {"o1-pro*", 150, 600, {}, {}, {}, {}},
      {"o1-mini*", 1.1, 4.4, 0.55, {}, {}, {}},
      {"o1*", 15, 60, 7.5, {}, {}, {}},
      {"text-embedding-3-small", 0.02, 0, {}, {}, {}, {}},
      {"text-embedding-3-large", 0.13, 0, {}, {}, {}, {}},
      {"text-embedding-ada-002", 0.1, 0, {}, {}, {}, {}},
      // Anthropic
      {"claude-opus-4-5*", 5, 25, 0.5, 6.25, {}, {}},
      {"claude-opus-4*", 15, 75, 1.5, 18.75, {}, {}},
      {"claude-3-opus*", 15, 75, 1.5, 18.75, {}, {}},
      {"claude-sonnet-4*", 3, 15, 0.3, 3.75, {}, {}},
      {"claude-3-7-sonnet*", 3, 15, 0.3, 3.75, {}, {}},
      {"claude-3-5-sonnet*", 3, 15, 0.3, 3.75, {}, {}},
      {"claude-haiku-4-5*", 1, 5, 0.1, 1.25, {}, {}},
      {"claude-3-5-haiku*", 0.8, 4, 0.08, 1, {}, {}},
      {"claude-3-haiku*", 0.25, 1.25, 0.03, 0.3, {}, {}},
      // Google
      {"gemini-2.5-pro*", 1.25, 10, 0.125, {}, {}, {}},
      {"gemini-2.5-flash-lite*", 0.1, 0.4, 0.01, {}, 0.3, {}},
      {"gemini-2.5-flash*", 0.3, 2.5, 0.03, {}, 1, {}},
      {"gemini-2.0-flash-lite*", 0.075, 0.3, {}, {}, {}, {}},
      {"gemini-2.0-flash*", 0.1, 0.4, 0.025, {}, 0.7, {}},
      {"gemini-embedding-001", 0.15, 0, {}, {}, {}, {}},
      // DeepSeek
      {"deepseek-chat", 0.28, 0.42, 0.028, {}, {}, {}},
      {"deepseek-reasoner", 0.28, 0.42, 0.028, {}, {}, {}},
      // Mistral
      {"mistral-large*", 2, 6, {}, {}, {}, {}},
      {"mistral-medium*", 0.4, 2, {}, {}, {}, {}},
      {"mistral-small*", 0.1, 0.3, {}, {}, {}, {}},
      {"codestral*", 0.3, 0.9, {}, {}, {}, {}},
      {"mistral-embed", 0.1, 0, {}, {}, {}, {}},
      // xAI
      {"grok-4-fast*", 0.2, 0.5, 0.05, {}, {}, {}},
      {"grok-4*", 3, 15, 0.75, {}, {}, {}},
      {"grok-3-mini*", 0.3, 0.5, 0.075, {}, {}, {}},
      {"grok-3*", 3, 15, 0.75, {}, {}, {}},
      // Groq's own hosting
      {"groq/llama-3.3-70b-versatile", 0.59, 0.79, {}, {}, {}, {}},
      {"groq/llama-3.1-8b-instant", 0.05, 0.08, {}, {}, {}, {}},
  };
  return prices;
}

}  // namespace sluice::llm
