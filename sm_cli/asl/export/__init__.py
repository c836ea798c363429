"""Workflows as projects of other tools: SAM, CloudFormation, Terraform, CDK, the Serverless Framework."""
