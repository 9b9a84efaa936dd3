namespace Veil.Bpf;

/// <summary>How much a message of libbpf matters (<c>enum libbpf_print_level</c>).</summary>
public enum LibbpfLogLevel
{
    /// <summary>Something is wrong.</summary>
    Warning = 0,

    /// <summary>Something is worth knowing.</summary>
    Information = 1,

    /// <summary>Every step.</summary>
    Debug = 2,
}
