using System.Collections.Frozen;

namespace Spillway.App.Cli.Converting;

/// <summary>Where LiteLLM's providers answer in OpenAI's protocol, and the variable that it takes a key from.</summary>
internal static class LiteLlmProviders
{
    private static readonly FrozenDictionary<string, (string Url, string Key)> s_known =
        new Dictionary<string, (string Url, string Key)>
        {
            ["openai"] = ("https://api.openai.com/v1", "OPENAI_API_KEY"),
            ["text-completion-openai"] = ("https://api.openai.com/v1", "OPENAI_API_KEY"),
            ["azure"] = ("", "AZURE_API_KEY"),
            ["anthropic"] = ("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
            ["gemini"] = ("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
            ["mistral"] = ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
            ["groq"] = ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
            ["deepseek"] = ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
            ["xai"] = ("https://api.x.ai/v1", "XAI_API_KEY"),
            ["together_ai"] = ("https://api.together.xyz/v1", "TOGETHERAI_API_KEY"),
            ["fireworks_ai"] = ("https://api.fireworks.ai/inference/v1", "FIREWORKS_AI_API_KEY"),
            ["openrouter"] = ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
            ["cerebras"] = ("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
            ["nvidia_nim"] = ("https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY"),
            ["hosted_vllm"] = ("", ""),
            ["lm_studio"] = ("", ""),
            ["ollama"] = ("http://localhost:11434", ""),
            ["ollama_chat"] = ("http://localhost:11434", ""),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Whether it answers in OpenAI's protocol.</summary>
    public static bool IsKnown(string provider) => s_known.ContainsKey(provider);

    /// <summary>The provider and the model of "provider/model"; a name alone is OpenAI's.</summary>
    public static (string Provider, string Model) Split(string model)
    {
        var slash = model.IndexOf('/');
        return slash > 0 ? (model[..slash], model[(slash + 1)..]) : ("openai", model);
    }

    /// <summary>The base address; empty when none is given and none is known.</summary>
    public static string UrlOf(string provider, string given, string deployment)
    {
        var url = (given.Length > 0 ? given : s_known[provider].Url).TrimEnd('/');
        if (url.Length == 0)
            return "";
        if (provider == "azure")
            return url.Contains("/openai", StringComparison.Ordinal) ? url : $"{url}/openai/deployments/{deployment}";
        var isBare = provider is "ollama" or "ollama_chat" && !url.EndsWith("/v1", StringComparison.Ordinal);
        return isBare ? url + "/v1" : url;
    }

    /// <summary>The variable of the key where none is named; empty for none.</summary>
    public static string KeyOf(string provider) => s_known[provider].Key;
}
